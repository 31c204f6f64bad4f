#include "reference-loop/cluster.h"

#include <algorithm>
#include <csignal>

#include "reference-loop/cluster_child.h"
#include "reference-loop/signal_hub.h"
#include "reference-loop/sys.h"

namespace refloop {
namespace {

// At the deadline of stop(), between one attempt to kill what is left and the next.
constexpr Nanos kKillAgain = std::chrono::milliseconds(10);

}  // namespace

Cluster::Cluster(Loop& loop, ClusterOptions options, WorkerMain main)
    : loop_(loop), options_(options), main_(std::move(main)), listener_(loop), deadline_(loop) {
  listener_.data = deadline_.data = this;
}

Cluster::~Cluster() {
  for ([[maybe_unused]] const auto& slot : slots_)
    assert(!slot->child && "a cluster must be stopped before it is destroyed");
}

Result<void> Cluster::start() {
  assert(slots_.empty() && "a cluster starts once");
  if (options_.workers < 1) return failure(Error::bad_state);
  if (auto taken = take_port(); !taken) return taken;
  for (std::size_t i = 0; i < options_.workers; ++i) {
    slots_.push_back(std::make_unique<Slot>(*this, i));
    if (auto forked = fork_worker(*slots_.back()); !forked) {
      kill_all();
      stop();
      return forked;
    }
  }
  return {};
}

Result<void> Cluster::take_port() {
  if (options_.sharing == PortSharing::reuse_port) return reserve_port();
  auto listening = listener_.listen(options_.address, {}, [](Listener& listener, Socket connection) {
    static_cast<Cluster*>(listener.data)->place(std::move(connection));
  });
  if (!listening) return listening;
  const auto local = listener_.local_address();
  if (!local) return failure(local.error());
  options_.address = *local;
  return {};
}

// Bound, not listening: what does not listen gets no connection. First without sharing it, because a port
// that is shared is shared with every process of the same user.
Result<void> Cluster::reserve_port() {
  const int on = 1;
  for (const bool shared : {false, true}) {
    Socket socket(sys::socket(options_.address.family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!socket) return failure(last_error());
    for (const int option : {SO_REUSEADDR, SO_REUSEPORT}) {
      if (option == SO_REUSEPORT && !shared) continue;
      if (sys::setsockopt(socket.fd(), SOL_SOCKET, option, &on, socklen_t{sizeof on}) != 0)
        return failure(last_error());
    }
    if (sys::bind(socket.fd(), options_.address.raw(), options_.address.size()) != 0)
      return failure(last_error());
    if (!shared) continue;
    const auto local = Address::local_of(socket.fd());
    if (!local) return failure(local.error());
    options_.address = *local;
    reserved_ = std::move(socket);
  }
  return {};
}

Result<void> Cluster::fork_worker(Slot& slot) {
  auto ends = make_cluster_channel();
  if (!ends) return failure(ends.error());
  const pid_t supervisor = sys::getpid();
  const pid_t pid = sys::fork();
  if (pid < 0) return failure(last_error());
  if (pid == 0) {
    ends->first.reset();
    run_worker(slot, std::move(ends->second), supervisor);
  }
  auto child = Child::follow(slot, pid, std::move(ends->first));
  if (!child) return failure(child.error());
  slot.child = *child;
  slot.started = loop_.now();
  return {};
}

// In the new process. Nothing of the supervisor's loop is touched, and nothing of it is destroyed.
void Cluster::run_worker(const Slot& slot, Socket channel, pid_t supervisor) {
  sys::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (sys::getppid() != supervisor) ::_exit(1);  // it died before the line above
  SignalHub::leave_to_parent();
  for (const auto& other : slots_) {
    if (!other->child) continue;
    other->child->channel.reset();
    other->child->pidfd.reset();
  }
  waiting_.clear();
  reserved_.reset();
  if (listener_.fd() >= 0) sys::close(listener_.fd());
  auto loop = Loop::create(options_.worker_loop);
  if (!loop) {
    const std::string sentence = "cannot make a loop: " + std::string(message_of(loop.error()));
    (void)send_packet(channel, ChannelSend::waits, ClusterPacket::Kind::message, sentence);
    ::_exit(3);
  }
  ClusterWorker worker(**loop, slot.index, std::move(channel), options_.sharing, options_.address);
  if (!worker.start()) ::_exit(3);
  ::_exit(main_(worker));
}

void Cluster::on_channel(Child& child, bool writable) {
  if (writable && child.full) {
    child.full = false;
    if (!child.watch_channel()) return child.give_up();
    place_waiting();
  }
  constexpr int kPacketsPerTurn = 64;
  for (int i = 0; i < kPacketsPerTurn; ++i) {
    if (receive(child) != Received::packet) return;
  }
}

Cluster::Received Cluster::receive(Child& child) {
  Result<ClusterPacket> packet = receive_packet(child.channel);
  if (!packet) {
    // It ends, and this does not change how; or it lives on without us.
    if (packet.error() == Error::not_connected) child.give_up();
    return packet.error() == Error::no_memory ? Received::nothing_now : Received::nothing;
  }
  const std::size_t index = child.slot.index;
  switch (packet->kind) {
    case ClusterPacket::Kind::online:
      if (events.online) events.online(index, child.pid);
      break;
    case ClusterPacket::Kind::listening:
      child.listening = true;
      if (events.listening) events.listening(index);
      place_waiting();
      break;
    case ClusterPacket::Kind::message:
      if (events.message) events.message(index, packet->text);
      break;
    case ClusterPacket::Kind::connection:
      break;
  }
  return Received::packet;
}

void Cluster::on_exit(Child& child) {
  Received received = Received::packet;
  while (received == Received::packet) received = receive(child);
  if (received == Received::nothing_now) return;  // its last words first; the pidfd goes on telling
  ExitStatus status;
  if (!take_exit_status(child.pidfd.fd(), status)) return;
  Slot& slot = child.slot;
  const bool was_listening = child.listening;
  slot.child = nullptr;
  child.close();
  if (loop_.now() - slot.started >= options_.stable_after) slot.ends_in_a_row = 0;
  ++slot.ends_in_a_row;
  const bool restarts = !stopping_ && slot.ends_in_a_row <= options_.crashes_max;
  if (events.exited) events.exited(slot.index, status, restarts);
  if (stopping_) return finish_if_empty();
  if (restarts)
    restart_later(slot, status, was_listening);
  else
    give_up(slot, status, was_listening);
}

void Cluster::restart_later(Slot& slot, const ExitStatus& status, bool was_listening) {
  slot.last_status = status;
  slot.was_listening = was_listening;
  Nanos delay{0};
  if (slot.ends_in_a_row > 1) {
    const unsigned doublings = std::min(slot.ends_in_a_row - 2, 30u);
    delay = std::min<Nanos>(options_.backoff_min * (1LL << doublings), options_.backoff_max);
  }
  (void)slot.restart.start(
      [](Timer& timer) {
        Slot& due = *static_cast<Slot*>(timer.data);
        Cluster& cluster = due.cluster;
        if (cluster.fork_worker(due)) return;
        // As if it had died at once: out of processes or descriptors, which may pass.
        if (++due.ends_in_a_row <= cluster.options_.crashes_max)
          cluster.restart_later(due, due.last_status, due.was_listening);
        else
          cluster.give_up(due, due.last_status, due.was_listening);
      },
      delay);
}

void Cluster::give_up(const Slot& slot, const ExitStatus& status, bool was_listening) {
  std::string sentence = "worker " + std::to_string(slot.index + 1);
  sentence += status.lost     ? " is gone"
              : status.signal ? " was ended by signal " + std::to_string(status.signal)
                              : " exited with code " + std::to_string(status.code);
  sentence += was_listening ? " while it served" : " before it could serve";
  if (slot.ends_in_a_row > 1) sentence += ", " + std::to_string(slot.ends_in_a_row) + " times in a row";
  sentence += ": the cluster stops";
  if (events.failed) events.failed(sentence);
  stop();
}

void Cluster::stop() {
  if (stopping_) return;
  stopping_ = true;
  if (!listener_.is_closing()) listener_.close();
  reserved_.reset();
  waiting_.clear();
  bool any = false;
  for (const auto& slot : slots_) {
    slot->restart.stop();
    if (!slot->child) continue;
    any = true;
    sys::shutdown(slot->child->channel.fd(), SHUT_WR);
  }
  (void)deadline_.start(
      [](Timer& timer) {
        auto& cluster = *static_cast<Cluster*>(timer.data);
        cluster.kill_all();
        cluster.finish_if_empty();
      },
      any ? options_.drain_timeout : Nanos{0}, std::max<Nanos>(options_.drain_timeout, kKillAgain));
}

void Cluster::kill_all() {
  for (const auto& slot : slots_) {
    if (slot->child) sys::pidfd_send_signal(slot->child->pidfd.fd(), SIGKILL, nullptr, 0u);
  }
}

void Cluster::finish_if_empty() {
  if (finished_ || std::ranges::any_of(slots_, [](const auto& slot) { return slot->child; })) return;
  finished_ = true;
  deadline_.stop();
  if (events.stopped) events.stopped();
}

std::size_t Cluster::listening_workers() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(slots_, [](const auto& slot) { return slot->child && slot->child->listening; }));
}

pid_t Cluster::pid(std::size_t worker) const {
  return slots_[worker]->child ? slots_[worker]->child->pid : -1;
}

void Cluster::place(Socket connection) {
  if (waiting_.empty() && hand_to_next(connection)) return;
  // Beyond this the client had better hear a close than wait for ever.
  constexpr std::size_t kWaitingMax = 4096;
  if (waiting_.size() < kWaitingMax) waiting_.push_back(std::move(connection));
}

// In turn, past those that are not there or have not caught up.
bool Cluster::hand_to_next(const Socket& connection) {
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    Child* child = slots_[turn_++ % slots_.size()]->child;
    if (!child || !child->listening || child->full) continue;
    const auto sent =
        send_packet(child->channel, ChannelSend::at_once, ClusterPacket::Kind::connection, {}, &connection);
    if (sent) return true;
    sent.error() == Error::again ? child->wait_for_room() : child->give_up();
  }
  return false;
}

void Cluster::place_waiting() {
  while (!waiting_.empty() && hand_to_next(waiting_.front())) waiting_.pop_front();
}

}  // namespace refloop
