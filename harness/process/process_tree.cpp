#include "harness/process/process_tree.h"

#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <dirent.h>
#include <fcntl.h>
#include <map>
#include <unistd.h>

#include "harness/base/unique_fd.h"

namespace tickmark::process {

std::string read_proc_file(const char* path) {
  std::string text;
  UniqueFd fd(::open(path, O_RDONLY | O_CLOEXEC));
  if (!fd) return text;
  char chunk[4096];
  while (true) {
    const ssize_t n = ::read(fd.get(), chunk, sizeof chunk);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return text;
    text.append(chunk, static_cast<size_t>(n));
  }
}

std::optional<ProcessStat> parse_process_stat(std::string_view text) {
  ProcessStat stat;
  const size_t close = text.rfind(')');
  if (close == std::string_view::npos || close + 2 >= text.size()) return std::nullopt;
  if (std::from_chars(text.data(), text.data() + close, stat.pid).ec != std::errc()) return std::nullopt;
  stat.state = text[close + 2];
  // Field numbers as proc(5) counts them: pid is 1, state 3; the cursor stands behind the state.
  const char* cursor = text.data() + close + 3;
  const char* const end = text.data() + text.size();
  for (int field = 4; field <= 20; ++field) {
    while (cursor < end && *cursor == ' ') ++cursor;
    int64_t value = 0;
    const auto [next, error] = std::from_chars(cursor, end, value);
    if (error != std::errc()) return std::nullopt;
    cursor = next;
    switch (field) {
      case 4:
        stat.parent = static_cast<pid_t>(value);
        break;
      case 6:
        stat.session = static_cast<pid_t>(value);
        break;
      case 10:
        stat.minor_faults = static_cast<uint64_t>(value);
        break;
      case 14:
        stat.user_ticks = static_cast<uint64_t>(value);
        break;
      case 15:
        stat.system_ticks = static_cast<uint64_t>(value);
        break;
      case 16:
        stat.child_user_ticks = static_cast<uint64_t>(value);
        break;
      case 17:
        stat.child_system_ticks = static_cast<uint64_t>(value);
        break;
      case 20:
        stat.threads = static_cast<int>(value);
        break;
      default:
        break;
    }
  }
  return stat;
}

std::optional<ProcessStat> read_process_stat(pid_t pid) {
  char path[64];
  std::snprintf(path, sizeof path, "/proc/%d/stat", static_cast<int>(pid));
  return parse_process_stat(read_proc_file(path));
}

std::vector<ProcessStat> read_all_processes() {
  std::vector<ProcessStat> all;
  DIR* proc = ::opendir("/proc");
  if (proc == nullptr) return all;
  while (const dirent* entry = ::readdir(proc)) {
    if (entry->d_name[0] < '0' || entry->d_name[0] > '9') continue;
    if (const auto stat = read_process_stat(static_cast<pid_t>(std::atoi(entry->d_name))))
      all.push_back(*stat);
  }
  ::closedir(proc);
  return all;
}

std::vector<ProcessStat> read_process_tree(pid_t root) {
  std::multimap<pid_t, ProcessStat> by_parent;
  std::vector<ProcessStat> tree;
  for (const ProcessStat& process : read_all_processes()) {
    if (process.pid == root) {
      tree.push_back(process);
    } else {
      by_parent.emplace(process.parent, process);
    }
  }
  for (size_t i = 0; i < tree.size(); ++i) {
    const auto [first, last] = by_parent.equal_range(tree[i].pid);
    for (auto child = first; child != last; ++child) tree.push_back(child->second);
  }
  return tree;
}

}  // namespace tickmark::process
