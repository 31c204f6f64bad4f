// A supervised cluster: N worker processes behind one port, each with a loop of its own.
//
//   refloop::Cluster cluster(*loop, {.address = address, .workers = 4}, [](refloop::ClusterWorker& worker) {
//     Server server(worker.loop());                      // in the worker's process from here
//     worker.on_stop = [&] { server.stop(); };
//     if (!worker.serve([&](refloop::Socket socket) { server.serve(std::move(socket)); })) return 3;
//     worker.loop().run();
//     return 0;
//   });
//   cluster.start();
//   loop->run();
//
// Sharing the port:
//   reuse_port  every worker listens; the kernel spreads connections by a hash of their addresses. No hop,
//               no balance for few clients. Connections a worker has not accepted yet die with it.
//   hand_off    the supervisor accepts and gives each connection to the next worker in turn over a unix
//               socket. Even, at the price of a message per connection. Connections that no worker can take
//               now wait for one; those on their way to a worker that dies are lost with it.
//
// Guaranteed:
//   - every worker's exit is reported once, after all its messages, and leaves no zombie;
//   - a worker that ends without being asked to is replaced: at once, then after backoff_min, twice that,
//     and so on up to backoff_max, for as long as it does not live for `stable_after`. More than crashes_max
//     ends in a row in one place: 'failed', and the cluster stops;
//   - a worker that lives and cannot be talked to any more is killed, and replaced like one that crashed;
//   - stop() takes no more connections, tells the workers, and kills those that are left at the deadline;
//   - no worker outlives the supervisor: the kernel kills them (PR_SET_PDEATHSIG) when the thread that
//     started them ends, which must be the loop's and should be the process's first.
// Refused: an order between the events of different workers.
//
// Workers are forked, not executed: they have a copy of all the supervisor's memory and of its open
// descriptors, except the listening socket, the connections and the channels of this cluster. So fork before
// secrets are loaded and while no other thread runs; the signal handles of the supervisor's loops mean
// nothing in a worker, where every signal they watched is back at its default. A worker ends by _exit():
// flush what must be flushed.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "reference-loop/address.h"
#include "reference-loop/cluster_worker.h"
#include "reference-loop/listener.h"
#include "reference-loop/loop.h"
#include "reference-loop/process.h"
#include "reference-loop/timer.h"

namespace refloop {

struct ClusterOptions {
  Address address;  // port 0: a free one, see Cluster::address()
  std::size_t workers = 1;
  PortSharing sharing = PortSharing::reuse_port;
  LoopOptions worker_loop{};
  unsigned crashes_max = 5;
  Nanos backoff_min = std::chrono::milliseconds(100);
  Nanos backoff_max = std::chrono::seconds(5);
  Nanos stable_after = std::chrono::seconds(10);
  Nanos drain_timeout = std::chrono::seconds(10);  // from stop() to SIGKILL
};

// On the supervisor's loop, in the poll or timers phase. Each may be empty.
struct ClusterEvents {
  std::move_only_function<void(std::size_t worker, pid_t pid)> online;  // it has its loop
  std::move_only_function<void(std::size_t worker)> listening;
  std::move_only_function<void(std::size_t worker, std::string_view text)> message;
  std::move_only_function<void(std::size_t worker, ExitStatus status, bool restarts)> exited;
  // In one sentence, why the cluster gives up; it stops by itself.
  std::move_only_function<void(const std::string& sentence)> failed;
  // The last worker is gone; nothing of the cluster holds the loop any more.
  std::move_only_function<void()> stopped;
};

class Cluster {
 public:
  // In the worker's process; returns its exit code.
  using WorkerMain = std::move_only_function<int(ClusterWorker& worker)>;

  Cluster(Loop& loop, ClusterOptions options, WorkerMain main);
  // Stopped, and the loop has turned since; or never started.
  ~Cluster();
  Cluster(const Cluster&) = delete;
  Cluster& operator=(const Cluster&) = delete;

  ClusterEvents events;

  // Once. Error::address_in_use if somebody else has the port (who would share it otherwise); else what the
  // kernel says to bind, fork or socketpair: the workers that had started by then are killed. After an error
  // call stop() and run the loop until `stopped`.
  Result<void> start();
  // Gracefully; no event before it returns. Idempotent.
  void stop();

  const Address& address() const { return options_.address; }  // with the true port once started
  std::size_t listening_workers() const;
  pid_t pid(std::size_t worker) const;  // -1 between two lives

 private:
  struct Child;
  struct Slot;

  Result<void> take_port();
  Result<void> reserve_port();
  Result<void> fork_worker(Slot& slot);
  [[noreturn]] void run_worker(const Slot& slot, Socket channel, pid_t supervisor);
  void on_channel(Child& child, bool writable);
  enum class Received : std::uint8_t { packet, nothing, nothing_now };
  Received receive(Child& child);
  void on_exit(Child& child);
  void restart_later(Slot& slot, const ExitStatus& status, bool was_listening);
  void give_up(const Slot& slot, const ExitStatus& status, bool was_listening);
  void kill_all();
  void finish_if_empty();

  void place(Socket connection);
  bool hand_to_next(const Socket& connection);
  void place_waiting();

  Loop& loop_;
  ClusterOptions options_;
  WorkerMain main_;
  Listener listener_;
  Socket reserved_;  // reuse_port: keeps the number while no worker lives
  std::vector<std::unique_ptr<Slot>> slots_;
  std::deque<Socket> waiting_;  // connections nobody could take yet
  std::size_t turn_ = 0;
  Timer deadline_;
  bool stopping_ = false;
  bool finished_ = false;
};

}  // namespace refloop
