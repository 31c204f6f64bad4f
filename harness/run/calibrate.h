#pragma once
// What the reference subject can do, so that one ladder of rates fits this machine and is common to all
// subjects. Measured in the closed loop, twice, the larger counts: a disturbed calibration would only make
// the whole ladder too low.

#include <functional>
#include <string>
#include <vector>

#include "harness/base/error.h"
#include "harness/run/plan.h"
#include "harness/run/trial.h"

namespace tickmark::run {

struct CalibrationSetup {
  std::vector<CalibrationNeed> needs;
  std::string reference;  ///< id, from choose_reference
  std::vector<PlannedSubject> subjects;
  /// Makes an id startable.
  std::function<Expected<process::ResolvedSubject>(const std::string& id)> resolve;
  ClientCache* clients = nullptr;
  CpuRoles cpus;
  uint64_t seed = 1;
  std::function<bool()> interrupted;
  std::function<void(const CalibrationNeed& need, const std::string& subject)> on_start;  ///< may be empty
};

/// Every need measured on the reference subject, or, where that does not speak the workload or fails on it,
/// on the first subject that does; `note` then says so. Error (environment) if none can.
Expected<Calibration> calibrate(const CalibrationSetup& setup);

}  // namespace tickmark::run
