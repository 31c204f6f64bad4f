// Timers, wake-ups, signals, foreign descriptors.
#include <semaphore>
#include <signal.h>
#include <sys/epoll.h>
#include <thread>
#include <unistd.h>

#include "reference-loop/async.h"
#include "reference-loop/faults/scenario.h"
#include "reference-loop/poll.h"
#include "reference-loop/signal.h"

namespace refloop::faults {
namespace {

template <typename Base>
struct Counted : Base {
  using Base::Base;
  World* world = nullptr;
  unsigned count = 0;
};

template <typename H>
void close_at_the_end(World& world, H& handle) {
  world.on_wind_up([&] {
    if (!handle.is_closing()) handle.close();
  });
}

}  // namespace

// One that repeats, and one that is due in between.
void timers(World& world) {
  using namespace std::chrono_literals;
  Counted<Timer> repeated(world.loop());
  Counted<Timer> once(world.loop());
  repeated.world = once.world = &world;
  close_at_the_end(world, repeated);
  close_at_the_end(world, once);
  (void)repeated.start(
      [](Timer& timer) {
        auto& self = static_cast<Counted<Timer>&>(timer);
        self.world->ledger().happened("timer");
        if (++self.count == 5) self.world->wind_up();
      },
      1ms, 1ms);
  (void)once.start(
      [](Timer& timer) { static_cast<Counted<Timer>&>(timer).world->ledger().happened("timer"); }, 1500us);
  world.run();
}

// Another thread wakes the loop, four times, each after the one before was noticed.
void wake_ups(World& world) {
  struct Wake : Async {
    explicit Wake(World& its_world)
        : Async(its_world.loop(), [](Async& async) { static_cast<Wake&>(async).woken(); }),
          world(its_world) {}
    void woken() override {
      world.ledger().happened("async");
      noticed.release();
      if (++count == 4) world.wind_up();
    }
    World& world;
    unsigned count = 0;
    std::counting_semaphore<> noticed{0};
  } wake(world);
  close_at_the_end(world, wake);
  std::thread sender([&wake] {
    for (int i = 0; i < 4; ++i) {
      wake.send();
      if (i < 3) wake.noticed.acquire();
    }
  });
  world.run();
  wake.noticed.release(4);
  sender.join();
}

// A signal of our own, three times.
void signals(World& world) {
  Counted<Signal> signal(world.loop());
  signal.world = &world;
  ::signal(SIGUSR2, [](int) {});  // one that is pending when the handle stops must not end the test
  close_at_the_end(world, signal);
  const auto started = signal.start(SIGUSR2, [](Signal& self, int) {
    auto& counted = static_cast<Counted<Signal>&>(self);
    counted.world->ledger().happened("signal");
    ++counted.count == 3 ? counted.world->wind_up() : (void)::raise(SIGUSR2);
  });
  if (world.ledger().took("signal start", started))
    ::raise(SIGUSR2);
  else
    world.wind_up();
  world.run();
}

// A pipe that the loop only watches: first for reading, then for writing.
void foreign_descriptor(World& world) {
  struct Watched : Counted<Poll> {
    using Counted::Counted;
    int writer = -1;
    void wait_for(std::uint32_t events) {
      const auto started =
          start(events, [](Poll& poll, std::uint32_t) { static_cast<Watched&>(poll).is_ready(); });
      if (!world->ledger().took("poll start", started)) world->wind_up();
    }
    void is_ready() {
      char byte = 0;
      world->ledger().check(::read(fd(), &byte, 1) == 1, "reported readable, and was not");
      world->ledger().happened("poll");
      if (++count == 4) return world->wind_up();
      if (count == 2) wait_for(EPOLLIN | EPOLLPRI);
      (void)!::write(writer, "x", 1);
    }
  };
  int ends[2];
  if (::pipe(ends) != 0) return world.ledger().broken("no pipe for the scenario");
  {
    Watched watched(world.loop(), ends[0]);
    watched.world = &world;
    watched.writer = ends[1];
    close_at_the_end(world, watched);
    watched.wait_for(EPOLLIN);
    (void)!::write(ends[1], "x", 1);
    world.run();
  }
  ::close(ends[0]);
  ::close(ends[1]);
}

}  // namespace refloop::faults
