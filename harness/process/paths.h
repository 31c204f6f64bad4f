#pragma once
// Where the product lives: its root (baselines/, workloads/) and the folder of the programs built with it.

#include <filesystem>

#include "harness/base/error.h"

namespace tickmark::process {

struct Paths {
  std::filesystem::path root;  ///< holds baselines/ and workloads/
  std::filesystem::path bin;   ///< holds guard and the C++ subjects
};

/// Root: TICKMARK_ROOT, else the nearest ancestor of this executable that has baselines/ and workloads/,
/// else the source folder this was compiled from. Bin: TICKMARK_BIN, else the folder of this executable
/// (symbolic links resolved) if a guard lies there, else the build folder this was compiled in.
/// Error kEnvironment where nothing fits.
Expected<Paths> find_paths();

/// The first `program` on PATH, or `program` itself if it contains a slash and is executable; empty path
/// if there is none.
std::filesystem::path find_program(const std::string& program);

}  // namespace tickmark::process
