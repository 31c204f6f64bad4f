#include "harness/process/paths.h"

#include <cstdlib>
#include <fmt/format.h>
#include <string_view>
#include <unistd.h>

namespace tickmark::process {
namespace fs = std::filesystem;
namespace {

bool is_root(const fs::path& folder) {
  std::error_code ignored;
  // A build tree mirrors the folders of its sources, empty of subjects: it is not what we look for.
  if (fs::exists(folder / "CMakeCache.txt", ignored)) return false;
  return fs::is_directory(folder / "baselines", ignored) && fs::is_directory(folder / "workloads", ignored);
}

bool has_guard(const fs::path& folder) { return ::access((folder / "guard").c_str(), X_OK) == 0; }

fs::path executable_folder() {
  std::error_code ignored;
  return fs::read_symlink("/proc/self/exe", ignored).parent_path();
}

}  // namespace

Expected<fs::path> find_root() {
  if (const char* chosen = std::getenv("TICKMARK_ROOT")) {
    if (is_root(chosen)) return fs::absolute(chosen);
    return environment_error(fmt::format(
        "TICKMARK_ROOT='{}' has no baselines/ and workloads/; point it at the repository or unset it",
        chosen));
  }
  for (fs::path folder = executable_folder(); folder.has_relative_path(); folder = folder.parent_path()) {
    if (is_root(folder)) return folder;
  }
  if (is_root(TICKMARK_COMPILED_ROOT)) return fs::path(TICKMARK_COMPILED_ROOT);
  return environment_error(
      "cannot find baselines/ and workloads/ above this program; set TICKMARK_ROOT to the repository");
}

Expected<fs::path> find_bin() {
  if (const char* chosen = std::getenv("TICKMARK_BIN")) {
    if (has_guard(chosen)) return fs::absolute(chosen);
    return environment_error(fmt::format(
        "TICKMARK_BIN='{}' holds no 'guard'; point it at the bin folder of a build or unset it", chosen));
  }
  const fs::path here = executable_folder();
  for (const fs::path& folder : {here, here / "bin", fs::path(TICKMARK_COMPILED_BIN)}) {
    if (has_guard(folder)) return folder;
  }
  return environment_error("cannot find the program 'guard' beside this one; run ./scripts/build");
}

Expected<Paths> find_paths() {
  auto root = find_root();
  if (!root) return std::unexpected(root.error());
  auto bin = find_bin();
  if (!bin) return std::unexpected(bin.error());
  return Paths{std::move(*root), std::move(*bin)};
}

std::string told_from(const fs::path& root, std::string text) {
  const std::string prefix = root.string() + "/";
  if (root.empty()) return text;
  for (size_t at = 0; (at = text.find(prefix, at)) != std::string::npos;) text.erase(at, prefix.size());
  return text;
}

fs::path find_program(const std::string& program) {
  std::error_code ignored;
  const auto runnable = [&](const fs::path& path) {
    return fs::is_regular_file(path, ignored) && ::access(path.c_str(), X_OK) == 0;
  };
  if (program.empty()) return {};
  if (program.find('/') != std::string::npos) return runnable(program) ? fs::path(program) : fs::path();
  const char* variable = std::getenv("PATH");
  // Servers live in sbin, which an ordinary user's PATH lacks.
  const std::string folders = fmt::format("{}:/usr/local/sbin:/usr/sbin",
                                          variable != nullptr ? variable : "/usr/local/bin:/usr/bin:/bin");
  std::string_view rest = folders;
  while (true) {
    const size_t colon = rest.find(':');
    const fs::path candidate = fs::path(rest.substr(0, colon)) / program;
    if (runnable(candidate)) return candidate;
    if (colon == std::string_view::npos) return {};
    rest.remove_prefix(colon + 1);
  }
}

}  // namespace tickmark::process
