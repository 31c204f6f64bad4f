#pragma once
// Where the product lives: its root (baselines/, workloads/) and the folder of the programs built with it.

#include <filesystem>
#include <string>

#include "harness/base/error.h"

namespace tickmark::process {

struct Paths {
  std::filesystem::path root;  ///< holds baselines/ and workloads/
  std::filesystem::path bin;   ///< holds guard and the C++ subjects
};

/// TICKMARK_ROOT, else the nearest ancestor of this executable that has baselines/ and workloads/, else
/// the source folder this was compiled from. kEnvironment where none fits.
Expected<std::filesystem::path> find_root();

/// TICKMARK_BIN, else the folder of this executable (symbolic links resolved) or its bin/ if a guard lies
/// there, else the build's bin folder as compiled in. kEnvironment where there is no guard.
Expected<std::filesystem::path> find_bin();

/// Both.
Expected<Paths> find_paths();

/// `text` with each path below `root` told from there: what a subject said of its files reads the same on
/// every machine.
std::string told_from(const std::filesystem::path& root, std::string text);

/// The first `program` on PATH, or `program` itself if it contains a slash and is executable; empty path
/// if there is none.
std::filesystem::path find_program(const std::string& program);

}  // namespace tickmark::process
