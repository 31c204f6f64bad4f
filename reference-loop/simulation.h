// Virtual time: the loop as it is, in a world that is simulated.
//
// Nothing waits. The clock is a number that the poll phase moves to the next thing that happens, so that
// hours pass in microseconds; pool work runs on virtual threads; bytes between two ends travel in memory.
// The loop, its handles and requests are the measured code: only the clock, the pool's threads and the
// backend are exchanged. What the world may decide - how long work and bytes take, which of several ready
// things comes first, what has to wait for the next turn - is asked of a Choices (choices.h): drawn from a
// seed, replayed from a list, or enumerated.
//
//   Simulation simulation({.seed = 7});
//   auto loop = Loop::create({.backend = BackendKind::simulated, .simulation = &simulation}).value();
//   Timer timer(*loop);
//   (void)timer.start([](Timer&) {}, std::chrono::hours(24));
//   loop->run();  // returns at once; simulation.now() is a day later
//
// Guaranteed: the same program and the same answers give the same run, trace included (thread ids are
// those of the virtual threads: 1 the loop's, 2.. the pool's). All runs together are those the ordering
// rules permit, and no others.
//
// Computing takes no virtual time unless spend() says so, but a turn without waiting does. Work does its deed
// when it starts, and the time it takes passes afterwards. Files are those of the system. Descriptors watched
// with Poll or Signal are real and looked at once per turn. One real thread does everything: an Async of a
// simulated loop may be sent from callbacks and from work, not from threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <thread>
#include <utility>

#include "reference-loop/agenda.h"
#include "reference-loop/choices.h"
#include "reference-loop/error.h"
#include "reference-loop/socket.h"
#include "reference-loop/time.h"

namespace refloop {

struct FdWatch;
class Pool;
class SimulatedNetwork;
class SimulatedWorkers;

enum class Timing : std::uint8_t {
  drawn,  // everything takes a time out of its range, and comes in the order of these times
  open,   // nothing has a time of its own: what is under way comes in any order and in any turn
};

struct TimeRange {
  Nanos least{};
  Nanos most{};
};

struct SimulationOptions {
  std::uint64_t seed = 1;
  Choices* choices = nullptr;  // who decides instead of the seed; borrowed
  Timing timing = Timing::drawn;
  Nanos start = std::chrono::seconds(1);  // the first time the clock shows
  // What a turn takes that does not wait: or a loop that never waits would never see a timer.
  Nanos turn_time = std::chrono::microseconds(1);

  // Ranges of times drawn; they do not matter in open timing.
  TimeRange work_start{Nanos{0}, std::chrono::microseconds(5)};  // from submission, if a thread is free
  TimeRange work_time{std::chrono::microseconds(1), std::chrono::microseconds(200)};
  TimeRange transit{std::chrono::microseconds(2), std::chrono::microseconds(200)};  // from end to end

  // Of a thousand: reads and writes shorter than they could be; waits that end late, by at most `late_most`;
  // closes put off by a turn, which some rules forbid.
  unsigned short_permille = 50;
  unsigned late_permille = 50;
  unsigned close_deferred_permille = 0;
  Nanos late_most = std::chrono::milliseconds(1);
  unsigned patience = 3;  // turns that something under way is waited for at most, in open timing
  std::size_t window_bytes = 256 * 1024;  // sent and not yet read, per direction

  // For an Explorer: nothing happens that is not needed to reach every order.
  static SimulationOptions every_order(Choices& choices) {
    return {.choices = &choices, .timing = Timing::open, .short_permille = 0, .late_permille = 0};
  }
};

// A simulated stream that connects to this port, of whatever address, has a peer that reads and discards
// everything and closes when the stream has ended (RFC 863).
inline constexpr std::uint16_t kDiscardPort = 9;

// Serves one loop at a time and outlives it.
class Simulation {
 public:
  explicit Simulation(const SimulationOptions& options = {});
  ~Simulation();
  Simulation(const Simulation&) = delete;
  Simulation& operator=(const Simulation&) = delete;

  Nanos now() const { return now_; }
  // In a callback or in work: computing that takes this long. The virtual threads go on meanwhile.
  void spend(Nanos duration);
  // Time passes until the condition, which work brings about, holds. False: nothing is left that could.
  bool spend_until(const std::function<bool()>& condition);

  // Two connected descriptors for Stream::adopt() that no system call connected. A stream of the loop can
  // have a peer only in the loop: one of these, or by listen() and connect(), which never reach the kernel.
  Result<std::pair<Socket, Socket>> socket_pair();

  // The loop waited without limit, and nothing was left that could end it: it stopped itself.
  bool is_stalled() const { return stalled_; }
  Choices& choices() { return *choices_; }
  const SimulationOptions& options() const { return options_; }
  // 1: the loop's; 2 and more while work of the pool runs.
  std::int32_t current_thread() const { return thread_; }

 private:
  friend class Loop;
  friend class Pool;
  friend class SimulatedBackend;
  friend class SimulatedEnd;
  friend class SimulatedNetwork;
  friend class SimulatedPort;
  friend class SimulatedWorkers;
  friend class Waker;

  // The loop's wake-up: asyncs, and completions of the pool.
  struct WakeEvent final : SimulatedEvent {
    explicit WakeEvent(Simulation& owner) : simulation(owner) {}
    void happen() override { simulation.deliver_wake(); }
    Simulation& simulation;
  };

  bool is_open() const { return options_.timing == Timing::open; }
  void attach_waker(FdWatch& watch);
  void attach_pool(Pool& pool, std::size_t threads);
  void detach();
  void work_submitted();
  // What the virtual threads did by now, before it is looked at.
  void catch_up();
  void catch_up_for_cancel();
  void wake();
  void deliver_wake();
  bool defers_close();

  const SimulationOptions options_;
  std::unique_ptr<Choices> own_choices_;
  Choices* choices_;
  Nanos now_;
  std::int32_t thread_ = 1;
  const std::thread::id real_thread_ = std::this_thread::get_id();
  Agenda agenda_{options_.patience};
  WakeEvent wake_event_{*this};
  FdWatch* waker_watch_ = nullptr;
  bool woken_ = false;
  bool collecting_ = false;  // deliver_wake() takes what completes: no further wake-up for it
  bool stalled_ = false;
  unsigned closes_deferred_ = 0;  // in a row
  std::unique_ptr<SimulatedWorkers> workers_;
  std::unique_ptr<SimulatedNetwork> network_;
};

}  // namespace refloop
