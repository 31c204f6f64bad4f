#pragma once
// What `<subject> play` was asked: the contract between subject_main and a conformance player.

#include <filesystem>
#include <string>

#include "harness/vocabulary/service.h"

namespace tickmark::subject {

struct PlayRequest {
  std::filesystem::path scenarios;  ///< read before the loop first turns
  std::filesystem::path trace;      ///< written at each scenario's end
  std::string mode;                 ///< "" unless given: cjs, esm or worker, of JavaScript runtimes
  std::string serve;                ///< workload that is live in the same loop; "" = none
  Parameters options;               ///< of the subject, defaults filled in
  Parameters params;                ///< of the workload in `serve`
};

}  // namespace tickmark::subject
