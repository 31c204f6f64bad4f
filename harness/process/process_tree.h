#pragma once
// Who descends from whom, from /proc/PID/stat. Used by the guard too, so std and OS only.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

namespace tickmark::process {

/// The fields of /proc/PID/stat that the suite uses (proc(5)); times in clock ticks.
struct ProcessStat {
  pid_t pid = 0, parent = 0, session = 0;
  char state = '?';  ///< R S D T Z ...; T = stopped, Z = ended and not yet waited for
  uint64_t minor_faults = 0;
  uint64_t user_ticks = 0, system_ticks = 0;
  uint64_t child_user_ticks = 0, child_system_ticks = 0;  ///< of children that were waited for
  int threads = 0;
};

/// Contents of a stat file. The command in parentheses may itself contain spaces and parentheses.
std::optional<ProcessStat> parse_process_stat(std::string_view text);

/// nothing if there is no such process.
std::optional<ProcessStat> read_process_stat(pid_t pid);

/// `root` (if it exists) and all its descendants, parents before children. One scan of /proc: a process
/// forked during the scan may be missing.
std::vector<ProcessStat> read_process_tree(pid_t root);

/// Every process of the machine, in no order.
std::vector<ProcessStat> read_all_processes();

/// A file of /proc, whole; empty if it cannot be read.
std::string read_proc_file(const char* path);

}  // namespace tickmark::process
