#include "conformance/players/watchdog.h"

#include <algorithm>
#include <chrono>
#include <ctime>
#include <semaphore.h>
#include <signal.h>
#include <unistd.h>

#include "conformance/players/thread_states.h"

namespace tickmark::conformance {

namespace {

constexpr Nanos kLookEvery = 500ms;  // or a tenth of the deadline, if that is less
constexpr Nanos kNoRunPause = 10ms;  // between two runs
constexpr Nanos kParkPatience = 1s;  // a thread that does not hear a signal changes no records either

sem_t parked;

// The player's thread stays here, so that its records stand still.
void park(int) {
  sem_post(&parked);
  while (true) pause();
}

Nanos cpu_time() {
  timespec used{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  return Nanos{used.tv_sec * 1'000'000'000LL + used.tv_nsec};
}

}  // namespace

Watchdog::Watchdog(Recorder& recorder) : recorder_(recorder), player_(pthread_self()) {
  sem_init(&parked, 0, 0);
  signal(SIGALRM, park);
  sigset_t all, before;  // signals are the player's: the thread is born deaf
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, &before);
  thread_ = std::thread([this] { watch(); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

Watchdog::~Watchdog() {
  {
    const std::lock_guard lock(mutex_);
    over_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void Watchdog::arm(Nanos deadline) {
  deadline_ns_ = deadline.count();
  begun_ns_ = now().count();
}

void Watchdog::disarm() { begun_ns_ = 0; }

bool Watchdog::sleep_until(Nanos time) {
  std::unique_lock lock(mutex_);
  // steady_clock is CLOCK_MONOTONIC, as now() is.
  return !changed_.wait_until(lock, std::chrono::steady_clock::time_point(time), [this] { return over_; });
}

// Nobody wakes it for a run: that would disturb every one of them. So it sleeps for as long as a look may
// wait.
void Watchdog::watch() {
  do {
    look();
  } while (sleep_until(next_look_));
}

void Watchdog::look() {
  const Nanos time = now();
  const int64_t begun = begun_ns_;
  const Nanos deadline{deadline_ns_};
  if (begun == 0) {
    run_ns_ = 0;
    next_look_ = time + kNoRunPause;
    return;
  }
  const Nanos every = std::min(kLookEvery, deadline / 10);
  if (begun != run_ns_) {
    run_ns_ = begun;
    lost_ = Nanos{0};
    measured_ = false;
    next_look_ = std::max(time, Nanos{begun} + every);
    return;
  }
  // It was to look earlier: the whole process stood still meanwhile.
  if (time - next_look_ > every / 2) lost_ += time - next_look_;
  if (!measured_) {
    measured_ = true;
    cpu_ = cpu_time();
    waited_ = waited_for_cpu();
  }
  const Nanos end = Nanos{begun} + deadline;
  if (time >= end) expire();
  next_look_ = std::min(time + every, end);
}

void Watchdog::expire() {
  const Nanos begun{run_ns_};
  const std::string states = thread_states(gettid());
  if (pthread_kill(player_, SIGALRM) == 0) {
    timespec until{};
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += kParkPatience / 1s;
    sem_timedwait(&parked, &until);
  }
  // Now that it has run to get there, its waiting is accounted for.
  const Nanos waited = std::max(Nanos{0}, waited_for_cpu() - waited_);
  if (begun_ns_ == begun.count())  // else it has just been in time
    recorder_.hang({.lasted = now() - begun, .cpu = cpu_time() - cpu_, .waited = waited, .lost = lost_},
                   states);
  signal(SIGALRM, SIG_DFL);
  sigset_t alarm;
  sigemptyset(&alarm);
  sigaddset(&alarm, SIGALRM);
  pthread_sigmask(SIG_UNBLOCK, &alarm, nullptr);
  raise(SIGALRM);
  _exit(128 + SIGALRM);
}

}  // namespace tickmark::conformance
