#include "reference-loop/cluster_child.h"

#include <csignal>

#include "reference-loop/sys.h"

namespace refloop {

Cluster::Child::Child(Slot& place, pid_t number, Socket process, Socket end)
    : slot(place),
      pid(number),
      pidfd(std::move(process)),
      channel(std::move(end)),
      exit_poll(place.cluster.loop_, pidfd.fd()),
      channel_poll(place.cluster.loop_, channel.fd()) {
  exit_poll.data = channel_poll.data = this;
}

Result<Cluster::Child*> Cluster::Child::follow(Slot& slot, pid_t pid, Socket channel) {
  Socket pidfd(sys::pidfd_open(pid, 0u));
  Error error = pidfd ? Error::none : last_error();
  if (pidfd) {
    auto child = std::make_unique<Child>(slot, pid, std::move(pidfd), std::move(channel));
    const auto watched = child->exit_poll.start(EPOLLIN, [](Poll& poll, std::uint32_t) {
      auto& exited = *static_cast<Child*>(poll.data);
      exited.slot.cluster.on_exit(exited);
    });
    const auto heard = watched ? child->watch_channel() : watched;
    if (heard) return child.release();
    error = heard.error();
    child.release()->close();
  }
  sys::kill(pid, SIGKILL);
  siginfo_t info;
  while (sys::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED) != 0 && errno == EINTR) {
  }
  return failure(error);
}

Result<void> Cluster::Child::watch_channel() {
  const std::uint32_t interest = EPOLLIN | (full ? std::uint32_t{EPOLLOUT} : 0u);
  return channel_poll.start(interest, [](Poll& poll, std::uint32_t ready) {
    auto& child = *static_cast<Child*>(poll.data);
    child.slot.cluster.on_channel(child, ready & EPOLLOUT);
  });
}

void Cluster::Child::wait_for_room() {
  full = true;
  if (!watch_channel()) give_up();
}

void Cluster::Child::give_up() {
  channel_poll.stop();
  sys::pidfd_send_signal(pidfd.fd(), SIGKILL, nullptr, 0u);
}

void Cluster::Child::close() {
  const auto gone = [](Handle& handle) {
    auto* child = static_cast<Child*>(handle.data);
    if (--child->handles_open == 0) delete child;
  };
  exit_poll.close(gone);
  channel_poll.close(gone);
  pidfd.reset();
  channel.reset();
}

}  // namespace refloop
