#include "reference-loop/signal_hub.h"

#include <atomic>
#include <cassert>
#include <mutex>
#include <thread>
#include <utility>

#include "reference-loop/loop.h"
#include "reference-loop/sys.h"

namespace refloop {

// All a signal handler may touch: atomics, and memory that is never freed. Sinks of loops that are gone are
// used again.
struct SignalSink {
  std::atomic<std::uint64_t> wanted{0};  // bit number - 1
  std::atomic<std::uint64_t> caught{0};
  std::atomic<int> wake_fd{-1};  // -1: free
  SignalSink* next = nullptr;
};

namespace {

// Of one mutant: that of the only hub.
[[maybe_unused]] FdWatch* hub_watch = nullptr;

std::uint64_t bit_of(int number) { return std::uint64_t{1} << (number - 1); }

std::atomic<SignalSink*> first_sink{nullptr};
std::atomic<int> handlers_running{0};

// How many handles of all loops watch a number, and what it did before the first of them.
struct Disposition {
  std::uint32_t watching = 0;
  struct sigaction before;
};
std::mutex
    dispositions_mutex;  // never taken by the handler; it guards the list of sinks against writers, too
std::array<Disposition, SignalHub::kSignalsMax + 1> dispositions;

void note_signal(int number) {
  const int error = errno;
  handlers_running.fetch_add(1);
  for (SignalSink* sink = first_sink.load(); sink; sink = sink->next) {
    if (!(sink->wanted.load() & bit_of(number))) continue;
    if (sink->caught.fetch_or(bit_of(number)) & bit_of(number)) continue;  // the loop is being woken already
    const int fd = sink->wake_fd.load();
    const std::uint64_t one = 1;
    while (fd >= 0 && sys::write(fd, &one, sizeof(one)) < 0 && errno == EINTR) {
    }
    if (is_mutant(Mutant::signal_callback_in_handler)) hub_watch->on_ready(*hub_watch, 0);
  }
  handlers_running.fetch_sub(1);
  errno = error;
}

Result<void> take_disposition(int number) {
  const std::lock_guard lock(dispositions_mutex);
  Disposition& disposition = dispositions[static_cast<std::size_t>(number)];
  if (disposition.watching == 0) {
    struct sigaction action {};
    action.sa_handler = note_signal;
    action.sa_flags = SA_RESTART;
    sigfillset(&action.sa_mask);
    if (sys::sigaction(number, &action, &disposition.before) != 0) return failure(last_error());
  }
  ++disposition.watching;
  return {};
}

void give_back_disposition(int number) {
  const std::lock_guard lock(dispositions_mutex);
  Disposition& disposition = dispositions[static_cast<std::size_t>(number)];
  if (--disposition.watching == 0) sys::sigaction(number, &disposition.before, nullptr);
}

SignalSink& take_sink(int wake_fd) {
  const std::lock_guard lock(dispositions_mutex);
  for (SignalSink* sink = first_sink.load(); sink; sink = sink->next) {
    if (sink->wake_fd.load() >= 0) continue;
    sink->caught = 0;
    sink->wake_fd = wake_fd;
    return *sink;
  }
  auto* sink = new SignalSink;
  sink->wake_fd = wake_fd;
  sink->next = first_sink.load();
  first_sink = sink;
  return *sink;
}

// Nobody writes to its descriptor from here.
void give_back_sink(SignalSink& sink) {
  const std::lock_guard lock(dispositions_mutex);
  sink.wanted = 0;
  sink.wake_fd = -1;
  while (handlers_running.load() != 0) std::this_thread::yield();
}

}  // namespace

Result<std::unique_ptr<SignalHub>> SignalHub::create(Loop& loop) {
  std::unique_ptr<SignalHub> hub(new SignalHub(loop));
  hub->wake_.reset(sys::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  if (!hub->wake_) return failure(last_error());
  hub->watch_.hub = hub.get();
  hub->watch_.runs_last =
      !is_mutant(Mutant::signals_not_last);  // what arrived together with a signal is seen before it
  hub->watch_.on_ready = [](FdWatch& watch, std::uint32_t) { static_cast<Watch&>(watch).hub->dispatch(); };
  if (auto watched = loop.backend_->watch(hub->watch_, hub->wake_.fd(), EPOLLIN); !watched)
    return failure(watched.error());
  hub->sink_ = &take_sink(hub->wake_.fd());
  if (is_mutant(Mutant::signal_callback_in_handler)) hub_watch = &hub->watch_;
  return hub;
}

SignalHub::~SignalHub() {
  assert(signals_.empty() && "a signal handle must be closed before its loop is destroyed");
  if (sink_) give_back_sink(*sink_);
  if (watch_.fd >= 0) loop_.backend_->unwatch(watch_);
}

void SignalHub::leave_to_parent() {
  for (SignalSink* sink = first_sink.load(); sink; sink = sink->next) sink->wanted = 0;
  for (int number = 1; number <= kSignalsMax; ++number) {
    Disposition& disposition = dispositions[static_cast<std::size_t>(number)];
    if (std::exchange(disposition.watching, 0u) > 0) sys::sigaction(number, &disposition.before, nullptr);
  }
}

Result<void> SignalHub::add(Signal& signal) {
  const int number = signal.number_;
  if (number < 1 || number > kSignalsMax) return failure(Error::bad_state);
  if (watching_[static_cast<std::size_t>(number)]++ == 0) {
    sink_->caught.fetch_and(~bit_of(number));  // of a watcher that is gone
    sink_->wanted.fetch_or(bit_of(number));
  }
  signals_.push_back(signal);
  if (auto taken = take_disposition(number); !taken) {
    static_cast<ListHook<>&>(signal).unlink();
    if (--watching_[static_cast<std::size_t>(number)] == 0) sink_->wanted.fetch_and(~bit_of(number));
    return taken;
  }
  return {};
}

void SignalHub::remove(Signal& signal) {
  const int number = signal.number_;
  static_cast<ListHook<>&>(signal).unlink();
  if (--watching_[static_cast<std::size_t>(number)] == 0) sink_->wanted.fetch_and(~bit_of(number));
  give_back_disposition(number);
}

// A handle that is started by one of these callbacks waits for the next signal; one that is stopped by
// an earlier callback is not called.
void SignalHub::dispatch() {
  std::uint64_t wakes;
  (void)!sys::read(wake_.fd(), &wakes, sizeof(wakes));  // before the flags: a signal from here wakes again
  const std::uint64_t caught = sink_->caught.exchange(0);
  IntrusiveList<Signal> scan;
  scan.splice_back(signals_);
  while (!scan.empty()) {
    Signal& signal = scan.pop_front();
    signals_.push_back(signal);
    if (caught & bit_of(signal.number_)) signal.raised();
  }
}

}  // namespace refloop
