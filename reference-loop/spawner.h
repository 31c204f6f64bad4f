// One child on its way from SpawnOptions to a running program: what posix_spawn() needs, kept together until
// it returned.
//
// posix_spawn() shares the address space with the child until the exec, so it costs the same however large
// this process is, and an exec that fails is its error, not an exit of the child.
#pragma once

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

  posix_spawn_file_actions_t actions_;
  posix_spawnattr_t attributes_;
  std::vector<Socket> given_;  // open until the child has them
  std::vector<std::pair<Pipe*, Socket>> our_ends_;
};

}  // namespace refloop
