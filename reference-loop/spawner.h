// One child on its way from SpawnOptions to a running program: what posix_spawn() needs, kept together until
// it returned.
//
// posix_spawn() shares the address space with the child until the exec, so it costs the same however large
// this process is, and an exec that fails is its error, not an exit of the child. Whom the child runs as it
// cannot say: then fork() makes the child, which does by itself what posix_spawn() would, and whose errors
// come back through a pipe that the exec closes.
#pragma once

#include <signal.h>
#include <spawn.h>
#include <string>
#include <sys/types.h>
#include <utility>
#include <vector>

#include "reference-loop/error.h"
#include "reference-loop/process.h"
#include "reference-loop/socket.h"

namespace refloop {

class Spawner {
 public:
  Spawner();
  ~Spawner();
  Spawner(const Spawner&) = delete;
  Spawner& operator=(const Spawner&) = delete;

  // The child's id.
  Result<pid_t> spawn(const SpawnOptions& options);
  // Our ends of its pipes become the streams they were asked for.
  void open_pipes();

 private:
  Result<void> prepare(const SpawnOptions& options);
  Result<void> prepare_descriptor(const Stdio& stdio, int target, int count);
  Result<void> give(int fd, int target, int count);

  // What execvpe() takes: pointers into the options, which outlive them.
  struct Program {
    std::vector<char*> arguments;
    std::vector<char*> environment;  // this process's, if empty
    char* const* environment_pointer() const;
  };
  Result<pid_t> fork_child(const SpawnOptions& options, const Program& program) const;
  // In the child: never returns but with an errno.
  int become(const SpawnOptions& options, const Program& program) const;

  posix_spawn_file_actions_t actions_;
  posix_spawnattr_t attributes_;
  std::vector<Socket> given_;  // open until the child has them
  std::vector<std::pair<int, int>>
      places_;  // of them: which descriptor the child gets as which; -1: /dev/null
  std::vector<std::pair<Pipe*, Socket>> our_ends_;
};

}  // namespace refloop
