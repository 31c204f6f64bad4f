#pragma once
// A plain process runner for the tests of this folder. The product runs players under harness/process's
// guard, which the oracle must not depend on.

#include "conformance/oracle/conform.h"

namespace tickmark::conformance {

/// Fork, exec, wait with a deadline; at the deadline the process group is killed. Keeps the last 2 KiB of
/// stderr.
Expected<ProcessResult> run_process(const std::vector<std::string>& argv, Nanos deadline);

/// A fresh folder below the system's temporary folder, removed with everything in it.
class ScratchFolder {
 public:
  ScratchFolder();
  ~ScratchFolder();
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace tickmark::conformance
