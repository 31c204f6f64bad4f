// One life of a worker, and its place in the cluster, as the supervisor sees them.
#pragma once

#include "reference-loop/cluster.h"
#include "reference-loop/poll.h"

namespace refloop {

struct Cluster::Slot {
  Slot(Cluster& owner, std::size_t place) : cluster(owner), index(place), restart(owner.loop_) {
    restart.data = this;
  }

  Cluster& cluster;
  const std::size_t index;
  Child* child = nullptr;  // none between two lives
  Timer restart;
  Nanos started{};
  unsigned ends_in_a_row = 0;
  ExitStatus last_status;
  bool was_listening = false;
};

// Frees itself after close().
struct Cluster::Child {
  // The process `pid`, just forked; on failure it is killed and waited for.
  static Result<Child*> follow(Slot& slot, pid_t pid, Socket channel);

  Child(Slot& place, pid_t number, Socket process, Socket end);
  // For packets; for room to send as well while the channel is full.
  Result<void> watch_channel();
  // There is no room in it now: said when there is.
  void wait_for_room();
  // Nothing can be said to it or heard from it any more, and that must not be its life.
  void give_up();
  void close();

  Slot& slot;
  const pid_t pid;
  Socket pidfd;
  Socket channel;
  Poll exit_poll;
  Poll channel_poll;
  bool listening = false;
  bool full = false;
  int handles_open = 2;
};

}  // namespace refloop
