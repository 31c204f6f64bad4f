#include "conformance/players/thread_states.h"

#include <cctype>
#include <cstdio>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <sys/syscall.h>
#include <unistd.h>
#include <vector>

namespace tickmark::conformance {

namespace {

namespace fs = std::filesystem;

std::vector<pid_t> threads(pid_t process = getpid()) {
  std::vector<pid_t> ids;
  std::error_code gone;
  for (const auto& entry : fs::directory_iterator(fmt::format("/proc/{}/task", process), gone))
    ids.push_back(std::stoi(entry.path().filename().string()));
  return ids;
}

std::string read_task_file(pid_t thread, const char* file, pid_t process = getpid()) {
  std::ifstream stream(fmt::format("/proc/{}/task/{}/{}", process, thread, file));
  std::string text;
  std::getline(stream, text, '\0');  // an iterator would throw where the thread ends meanwhile (ESRCH)
  return text;
}

// The calls a loop and its pool wait in.
std::string name_of_call(long number) {
  static const std::map<long, const char*> kNames{{SYS_epoll_pwait, "epoll_pwait"},
#ifdef SYS_epoll_wait
                                                  {SYS_epoll_wait, "epoll_wait"},
                                                  {SYS_poll, "poll"},
#endif
#ifdef SYS_epoll_pwait2
                                                  {SYS_epoll_pwait2, "epoll_pwait2"},
#endif
                                                  {SYS_ppoll, "ppoll"},
                                                  {SYS_futex, "futex"},
                                                  {SYS_read, "read"},
                                                  {SYS_write, "write"},
                                                  {SYS_wait4, "wait4"},
                                                  {SYS_io_uring_enter, "io_uring_enter"},
                                                  {SYS_clock_nanosleep, "clock_nanosleep"}};
  const auto found = kNames.find(number);
  return found == kNames.end() ? fmt::format("system call {}", number) : found->second;
}

// "sleeps in futex", "runs"
std::string state_of(pid_t thread) {
  const std::string stat = read_task_file(thread, "stat");
  const size_t name_end = stat.rfind(')');  // a thread's name may contain anything
  const char state = name_end + 2 < stat.size() ? stat[name_end + 2] : '?';
  const std::string call = read_task_file(thread, "syscall");
  const bool in_call = !call.empty() && std::isdigit(static_cast<unsigned char>(call[0])) != 0;
  const std::string where = in_call ? " in " + name_of_call(std::stol(call)) : "";
  switch (state) {
    case 'R':
      return "runs" + where;
    case 'S':
      return "sleeps" + where;
    case 'D':
      return "waits for the kernel" + where;
    case 'T':
      return "is stopped";
    default:
      return fmt::format("is in state {}{}", state, where);
  }
}

Nanos waited_of(pid_t process) {
  Nanos sum{0};
  for (const pid_t thread : threads(process)) {
    long long ran = 0, waited = 0;
    const std::string text = read_task_file(thread, "schedstat", process);
    if (std::sscanf(text.c_str(), "%lld %lld", &ran, &waited) == 2) sum += Nanos{waited};
  }
  return sum;
}

}  // namespace

std::string thread_states(pid_t except) {
  std::map<std::string, int> others;
  std::string text = "main " + state_of(getpid());
  for (const pid_t thread : threads()) {
    if (thread != except && thread != getpid()) ++others[state_of(thread)];
  }
  for (const auto& [state, count] : others)
    text += count == 1 ? fmt::format("; a thread {}", state)
                       : fmt::format("; each of {} threads {}", count, state);
  return text;
}

Nanos waited_for_cpu() { return waited_of(getpid()); }

Nanos waited_for_cpu_below(pid_t root) {
  Nanos sum = waited_of(root);
  for (const pid_t thread : threads(root)) {
    std::istringstream children(read_task_file(thread, "children", root));
    for (pid_t child = 0; children >> child;) sum += waited_for_cpu_below(child);
  }
  return sum;
}

}  // namespace tickmark::conformance
