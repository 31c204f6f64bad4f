#include "harness/run/asleep.h"

#include <dirent.h>
#include <fmt/format.h>
#include <memory>
#include <thread>

#include "harness/process/process_tree.h"

namespace tickmark::run {
namespace {

/// Long against a look, short against what a subject under a counting tool takes for a request.
constexpr Nanos kBetweenLooks = 20us;

/// S; also one that has ended. A thread that its tracer holds (t) is in the middle of something.
bool sleeps(const std::string& thread_folder) {
  const auto stat = process::parse_process_stat(process::read_proc_file((thread_folder + "/stat").c_str()));
  return !stat || stat->state == 'S' || stat->state == 'Z' || stat->state == 'X';
}

}  // namespace

Asleep::Asleep(pid_t root) {
  for (const process::ProcessStat& member : process::read_process_tree(root))
    task_folders_.push_back(fmt::format("/proc/{}/task", member.pid));
}

bool Asleep::look() const {
  for (const std::string& folder : task_folders_) {
    const std::unique_ptr<DIR, int (*)(DIR*)> threads(::opendir(folder.c_str()), ::closedir);
    while (const dirent* thread = threads ? ::readdir(threads.get()) : nullptr) {
      if (thread->d_name[0] != '.' && !sleeps(fmt::format("{}/{}", folder, thread->d_name))) return false;
    }
  }
  return true;
}

bool Asleep::at_rest() const { return look() && look(); }

bool Asleep::wait(Nanos patience) {
  if (failures_ >= kFailuresMax) return false;
  const Nanos start = now();
  while (!at_rest()) {
    if (now() - start > patience) {
      ++failures_;
      return false;
    }
    std::this_thread::sleep_for(kBetweenLooks);
  }
  return true;
}

}  // namespace tickmark::run
