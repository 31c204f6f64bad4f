#pragma once

#include <filesystem>

#include "harness/base/error.h"

namespace tickmark::run {

/// A folder for the files workloads need, removed with its owner. One left behind by a killed harness is
/// removed by the next run: the folder's name carries the process id. A process may have several.
class Scratch {
 public:
  static Expected<Scratch> create();
  Scratch(Scratch&& other) noexcept;
  Scratch& operator=(Scratch&&) = delete;
  ~Scratch();

  const std::filesystem::path& folder() const { return folder_; }

 private:
  explicit Scratch(std::filesystem::path folder) : folder_(std::move(folder)) {}
  std::filesystem::path folder_;
};

}  // namespace tickmark::run
