#include "harness/run/scratch.h"

#include <atomic>
#include <cerrno>
#include <charconv>
#include <fmt/format.h>
#include <signal.h>
#include <string_view>
#include <unistd.h>

namespace tickmark::run {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPrefix = "tickmark-scratch-";

bool left_behind(const std::string& name) {
  if (!name.starts_with(kPrefix)) return false;
  int pid = 0;
  const char* end = name.data() + name.size();
  const auto [rest, failure] = std::from_chars(name.data() + kPrefix.size(), end, pid);
  return failure == std::errc{} && rest != end && *rest == '.' && pid > 0 && ::kill(pid, 0) != 0 &&
         errno == ESRCH;
}

}  // namespace

Expected<Scratch> Scratch::create() {
  std::error_code failure;
  const fs::path parent = fs::temp_directory_path(failure);
  for (const auto& entry : fs::directory_iterator(parent, failure)) {
    std::error_code ignored;  // somebody else's, or gone already
    if (left_behind(entry.path().filename().string())) fs::remove_all(entry.path(), ignored);
  }
  static std::atomic<int> made_so_far = 0;
  const fs::path folder = parent / fmt::format("{}{}.{}", kPrefix, ::getpid(), ++made_so_far);
  std::error_code made;
  fs::create_directories(folder, made);
  if (made) {
    return environment_error(fmt::format("cannot make {}: {}; set TMPDIR to a folder that can be written",
                                         folder.string(), made.message()));
  }
  return Scratch(folder);
}

Scratch::Scratch(Scratch&& other) noexcept : folder_(std::move(other.folder_)) { other.folder_.clear(); }

Scratch::~Scratch() {
  std::error_code ignored;
  if (!folder_.empty()) fs::remove_all(folder_, ignored);
}

}  // namespace tickmark::run
