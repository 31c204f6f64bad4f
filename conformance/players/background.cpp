#include "conformance/players/background.h"

#include "conformance/players/machine.h"
#include "reference-loop/async.h"
#include "reference-loop/timer.h"
#include "reference-loop/watcher.h"

namespace tickmark::conformance {

namespace {

constexpr double kDriverPeriodMs = 2;
constexpr unsigned kActionsPerPeriod = 4;
constexpr unsigned kNestingMax = 3;
constexpr Nanos kGrace = 3s;  // for what is still outstanding at the end

}  // namespace

// Pool work that frees itself when it has reported.
struct BackgroundProgram::Job : refloop::UserWork {
  BackgroundProgram* program = nullptr;
  Nanos spin{0};

  static void run(refloop::Work& work) { spin_until(now() + static_cast<Job&>(work).spin); }
  static void done(refloop::Work& work, refloop::Error) {
    auto* job = &static_cast<Job&>(work);
    BackgroundProgram* program = job->program;
    delete job;
    if (program->random_.below(4) == 0) program->act_nested(1);
    program->ended();
  }
};

// A loop timer that closes and frees itself.
struct BackgroundProgram::ClosingTimer : refloop::Timer {
  ClosingTimer(refloop::Loop& loop, BackgroundProgram& of) : Timer(loop), program(&of) {}
  BackgroundProgram* program;

  static void fired(refloop::Timer& timer) { timer.close(freed); }
  static void freed(refloop::Handle& handle) {
    auto* self = &static_cast<ClosingTimer&>(handle);
    BackgroundProgram* program = self->program;
    delete self;
    if (program->random_.below(4) == 0) program->act_nested(1);
    program->ended();
  }
};

BackgroundProgram::BackgroundProgram(refloop::Loop& loop, const Background& parameters,
                                     const std::atomic<bool>& stop_asked)
    : loop_(loop), node_(loop), parameters_(parameters), stop_asked_(stop_asked), random_(parameters.seed) {}

BackgroundProgram::~BackgroundProgram() = default;

void BackgroundProgram::start() {
  end_ = now() + parameters_.duration;
  driving_ = true;
  node_.run_main([this] { driver_ = node_.set_interval([this] { drive(); }, kDriverPeriodMs); });
}

void BackgroundProgram::drive() {
  driving_ = now() < end_ || !stop_asked_.load(std::memory_order_acquire);
  if (driving_) {
    for (unsigned i = 0; i < kActionsPerPeriod; ++i) act();
    return;
  }
  if (asked_at_ == Nanos{0}) asked_at_ = now();
  // A loop that loses a callback must not keep its trace from being written and judged.
  if (outstanding_ > 0 && now() < asked_at_ + kGrace) return;
  node_.clear(driver_);
  loop_.stop();
}

void BackgroundProgram::ended() { --outstanding_; }

refloop::Task BackgroundProgram::counted(refloop::Task then) {
  ++outstanding_;
  return [this, run = std::move(then)]() mutable {
    run();
    ended();
  };
}

void BackgroundProgram::act() {
  switch (random_.below(10)) {
    case 0:
      return burst_of_ticks();
    case 1:
      return burst_of_immediates();
    case 2:
      return timeouts_of_one_duration();
    case 3:
      return short_interval();
    case 4:
      return loop_timers();
    case 5:
      return pool_work();
    case 6:
      return cancel_work();
    case 7:
      return close_handles();
    case 8:
      return wake_async();
    default:
      return one_turn_watchers();
  }
}

// Something of every queue from inside a callback, so that queues are fed while they drain.
void BackgroundProgram::act_nested(unsigned depth) {
  if (depth > kNestingMax || !driving_) return;
  const auto nested = [this, depth] { act_nested(depth + 1); };
  switch (random_.below(4)) {
    case 0:
      node_.next_tick(counted(nested));
      return;
    case 1:
      node_.queue_microtask(counted(nested));
      return;
    case 2:
      node_.set_immediate(counted(nested));
      return;
    default:
      const auto ms = static_cast<uint32_t>(1 + random_.below(4));
      node_.set_timeout(counted(nested), ms, ms);
  }
}

void BackgroundProgram::burst_of_ticks() {
  for (uint64_t i = 0; i <= random_.below(4); ++i) {
    node_.queue_microtask(counted([this] { act_nested(1); }));
    node_.next_tick(counted([this] { act_nested(1); }));
  }
}

void BackgroundProgram::burst_of_immediates() {
  for (uint64_t i = 0; i <= random_.below(4); ++i) {
    node_.set_immediate(counted([this] {
      node_.queue_microtask(counted([] {}));
      node_.next_tick(counted([this] { act_nested(1); }));
    }));
  }
  node_.clear(node_.set_immediate([] {}));
}

void BackgroundProgram::timeouts_of_one_duration() {
  // The label is the duration: timeouts of one duration must fire in the order they were set.
  const auto ms = static_cast<uint32_t>(1 + random_.below(8));
  for (uint64_t i = 0; i <= random_.below(4); ++i) {
    node_.set_timeout(counted([this] {
                        node_.queue_microtask(counted([] {}));
                        node_.next_tick(counted([this] { act_nested(1); }));
                      }),
                      ms, ms);
  }
  node_.clear(node_.set_timeout([] {}, ms, ms));
}

void BackgroundProgram::short_interval() {
  const auto ms = static_cast<uint32_t>(1 + random_.below(5));
  auto left = std::make_shared<unsigned>(static_cast<unsigned>(1 + random_.below(4)));
  auto id = std::make_shared<refloop::TimeoutId>();
  ++outstanding_;
  *id = node_.set_interval(
      [this, left, id] {
        if (--*left > 0) return;
        node_.clear(*id);
        ended();
      },
      ms, ms);
}

void BackgroundProgram::loop_timers() {
  const Nanos timeout = Nanos{static_cast<int64_t>(random_.below(6)) * 500'000};
  for (uint64_t i = 0; i <= random_.below(3); ++i) {
    ++outstanding_;
    (void)(new ClosingTimer(loop_, *this))->start(ClosingTimer::fired, timeout);
  }
}

void BackgroundProgram::pool_work() {
  auto* job = new Job;
  job->program = this;
  job->spin = Nanos{static_cast<int64_t>(random_.below(50'000))};
  ++outstanding_;
  loop_.pool().submit(*job, Job::run, Job::done);
}

void BackgroundProgram::cancel_work() {
  for (int i = 0; i < 2; ++i) pool_work();
  auto* job = new Job;
  job->program = this;
  ++outstanding_;
  loop_.pool().submit(*job, Job::run, Job::done);
  (void)loop_.pool().cancel(*job);  // busy is as good: then it completes as if nobody had asked
}

void BackgroundProgram::close_handles() {
  for (uint64_t i = 0; i <= random_.below(3); ++i) {
    ++outstanding_;
    (new ClosingTimer(loop_, *this))->close(ClosingTimer::freed);
  }
}

void BackgroundProgram::wake_async() {
  struct Wake : refloop::Async {
    Wake(refloop::Loop& loop, BackgroundProgram& of) : Async(loop, woken), program(&of) {}
    BackgroundProgram* program;
    static void woken(refloop::Async& async) { async.close(freed); }
    static void freed(refloop::Handle& handle) {
      auto* self = &static_cast<Wake&>(handle);
      BackgroundProgram* program = self->program;
      delete self;
      program->ended();
    }
  };
  ++outstanding_;
  (new Wake(loop_, *this))->send();
}

void BackgroundProgram::one_turn_watchers() {
  static constexpr auto kStart = []<typename Kind>(BackgroundProgram& program, std::type_identity<Kind>) {
    struct Once : Kind {
      Once(refloop::Loop& loop, BackgroundProgram& of) : Kind(loop), owner(&of) {}
      BackgroundProgram* owner;
    };
    ++program.outstanding_;
    (void)(new Once(program.loop_, program))->start([](refloop::Watcher& watcher) {
      watcher.close([](refloop::Handle& handle) {
        auto* self = &static_cast<Once&>(handle);
        BackgroundProgram* owner = self->owner;
        delete self;
        owner->ended();
      });
    });
  };
  kStart(*this, std::type_identity<refloop::Idle>{});
  kStart(*this, std::type_identity<refloop::Prepare>{});
  kStart(*this, std::type_identity<refloop::Check>{});
}

}  // namespace tickmark::conformance
