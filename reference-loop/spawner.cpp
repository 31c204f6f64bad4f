#include "reference-loop/spawner.h"

#include <algorithm>
#include <signal.h>

#include "reference-loop/pipe.h"
#include "reference-loop/sys.h"

extern char** environ;

namespace refloop {
namespace {

std::vector<char*> pointers_to(const std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (const std::string& text : texts) pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

// The posix_spawn family returns its error.
Result<void> checked(int error) {
  if (error != 0) return failure(error_from_errno(error));
  return {};
}

}  // namespace

Spawner::Spawner() {
  posix_spawn_file_actions_init(&actions_);
  posix_spawnattr_init(&attributes_);
}

Spawner::~Spawner() {
  posix_spawn_file_actions_destroy(&actions_);
  posix_spawnattr_destroy(&attributes_);
}

Result<pid_t> Spawner::spawn(const SpawnOptions& options) {
  if (options.arguments.empty()) return failure(Error::bad_state);
  if (auto prepared = prepare(options); !prepared) return failure(prepared.error());
  Program program{pointers_to(options.arguments), {}};
  if (options.environment) program.environment = pointers_to(*options.environment);
  if (options.user || options.group) return fork_child(options, program);
  pid_t child = -1;
  const int error = sys::posix_spawnp(&child, program.arguments[0], &actions_, &attributes_,
                                      program.arguments.data(), program.environment_pointer());
  if (error != 0) return failure(error_from_errno(error));
  return child;
}

char* const* Spawner::Program::environment_pointer() const {
  return environment.empty() ? environ : environment.data();
}

void Spawner::open_pipes() {
  for (auto& [pipe, socket] : our_ends_) pipe->take(std::move(socket));
}

Result<void> Spawner::prepare(const SpawnOptions& options) {
  const int count = std::max(3, static_cast<int>(options.stdio.size()));
  for (int target = 0; target < count; ++target) {
    const auto index = static_cast<std::size_t>(target);
    const Stdio stdio = index < options.stdio.size() ? options.stdio[index] : Stdio::ignore();
    if (auto prepared = prepare_descriptor(stdio, target, count); !prepared) return prepared;
  }
  if (auto added = checked(posix_spawn_file_actions_addclosefrom_np(&actions_, count)); !added) return added;
  if (!options.directory.empty()) {
    auto added = checked(posix_spawn_file_actions_addchdir_np(&actions_, options.directory.c_str()));
    if (!added) return added;
  }
  sigset_t none;
  sigset_t all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes_, &none);
  posix_spawnattr_setsigdefault(&attributes_, &all);
  int flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
  if (options.detached) flags |= POSIX_SPAWN_SETSID;
  return checked(posix_spawnattr_setflags(&attributes_, static_cast<short>(flags)));
}

Result<void> Spawner::prepare_descriptor(const Stdio& stdio, int target, int count) {
  if (stdio.ours_) {
    if (stdio.ours_->fd() >= 0 || stdio.ours_->is_closing()) return failure(Error::bad_state);
    auto pair = Pipe::make_pair();
    if (!pair) return failure(pair.error());
    if (sys::fcntl(pair->first.fd(), F_SETFL, O_RDWR | O_NONBLOCK) != 0) return failure(last_error());
    our_ends_.emplace_back(stdio.ours_, std::move(pair->first));
    return give(pair->second.fd(), target, count);
  }
  if (stdio.fd_ >= 0) return give(stdio.fd_, target, count);
  places_.emplace_back(-1, target);
  return checked(posix_spawn_file_actions_addopen(&actions_, target, "/dev/null", O_RDWR, 0));
}

// By way of a copy above all targets: a descriptor that is the source of one and the target of another would
// be overwritten before it is used.
Result<void> Spawner::give(int fd, int target, int count) {
  Socket copy(sys::fcntl(fd, F_DUPFD_CLOEXEC, count));
  if (!copy) return failure(last_error());
  auto added = checked(posix_spawn_file_actions_adddup2(&actions_, copy.fd(), target));
  places_.emplace_back(copy.fd(), target);
  given_.push_back(std::move(copy));
  return added;
}

}  // namespace refloop
