// Random programs over every kind of handle: opens, writes, shutdowns, cancels, stops and closes from any
// callback in any order. What must hold whatever they do: test_stress.h.
//
// REFLOOP_STRESS_SEED=n replays one seed; REFLOOP_STRESS_SEEDS=n runs the first n.
#include <cstdlib>
#include <dirent.h>
#include <signal.h>
#include <sys/eventfd.h>

#include "reference-loop/async.h"
#include "reference-loop/poll.h"
#include "reference-loop/pool.h"
#include "reference-loop/process.h"
#include "reference-loop/signal.h"
#include "reference-loop/test_descriptors.h"
#include "reference-loop/test_stress.h"
#include "reference-loop/test_stress_streams.h"
#include "reference-loop/udp.h"

namespace refloop::stress::stress_test {
namespace {

using namespace std::chrono_literals;

class TimerActor : public Actor {
 public:
  explicit TimerActor(World& world) : Actor(world), timer_(world.loop()) {}
  Handle& handle() override { return timer_; }
  void act() override {
    if (world_.random.one_in(4)) return timer_.stop();
    if (world_.random.one_in(4)) return (void)timer_.again();
    const Nanos timeout = std::chrono::microseconds(world_.random.below(2'000));
    (void)timer_.start([](Timer& self) { static_cast<Actor*>(self.data)->called_back(); }, timeout,
                       world_.random.one_in(4) ? timeout : Nanos{0});
  }

 private:
  Timer timer_;
};

template <typename Base>
class WatcherActor : public Actor {
 public:
  explicit WatcherActor(World& world) : Actor(world), watcher_(world.loop()) {}
  Handle& handle() override { return watcher_; }
  void act() override {
    if (world_.random.one_in(2)) return watcher_.stop();
    (void)watcher_.start([](Watcher& self) {
      auto& actor = static_cast<WatcherActor&>(*static_cast<Actor*>(self.data));
      if (actor.world_.random.one_in(3)) actor.watcher_.stop();
      actor.called_back();
    });
  }

 private:
  Base watcher_;
};

class AsyncActor : public Actor {
 public:
  explicit AsyncActor(World& world)
      : Actor(world),
        async_(world.loop(), [](Async& self) { static_cast<Actor*>(self.data)->called_back(); }) {}
  Handle& handle() override { return async_; }
  void act() override { async_.send(); }

 private:
  Async async_;
};

class SignalActor : public Actor {
 public:
  explicit SignalActor(World& world) : Actor(world), signal_(world.loop()) {}
  Handle& handle() override { return signal_; }
  void act() override {
    const auto callback = [](Signal& self, int) { static_cast<Actor*>(self.data)->called_back(); };
    const int number = world_.random.one_in(2) ? SIGUSR1 : SIGUSR2;
    if (world_.random.one_in(3)) return signal_.stop();
    if (world_.random.one_in(2)) return (void)raise(number);
    if (world_.random.one_in(2)) return (void)signal_.start(number, callback);
    (void)signal_.start_once(number, callback);
  }

 private:
  Signal signal_;
};

class PollActor : public Actor {
 public:
  explicit PollActor(World& world)
      : Actor(world), event_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)), poll_(world.loop(), event_.fd()) {}
  Handle& handle() override { return poll_; }
  void act() override {
    const std::uint64_t one = 1;
    if (world_.random.one_in(2)) return (void)!::write(event_.fd(), &one, sizeof(one));
    if (world_.random.one_in(3)) return poll_.stop();
    const std::uint32_t events = world_.random.one_in(4) ? EPOLLIN | EPOLLOUT : EPOLLIN;
    EXPECT_TRUE(poll_.start(events, [](Poll& self, std::uint32_t ready) {
      std::uint64_t value;
      if (ready & EPOLLIN) {
        EXPECT_EQ(::read(self.fd(), &value, sizeof(value)), 8);
      }
      static_cast<Actor*>(self.data)->called_back();
    }));
  }

 private:
  Socket event_;
  Poll poll_;
};

class Child : public Actor {
 public:
  explicit Child(World& world) : Actor(world), process_(world.loop()) {
    const bool sleeps = world.random.one_in(2);
    EXPECT_TRUE(process_.spawn(
        {.arguments = sleeps ? std::vector<std::string>{"sleep", "60"} : std::vector<std::string>{"true"}},
        [](Process& self, ExitStatus status) {
          EXPECT_FALSE(status.lost);
          static_cast<Actor*>(self.data)->called_back();
        }));
  }
  Handle& handle() override { return process_; }
  void act() override { (void)process_.kill(SIGKILL); }
  void end() override {
    (void)process_.kill(SIGKILL);
    Actor::end();
  }

 private:
  Process process_;
};

struct StressDatagram : DatagramRequest {
  bool done = false;
  std::array<std::byte, 16> bytes{};
};

class Station : public Actor {
 public:
  Station(World& world, Scene& scene) : Actor(world), scene_(scene), udp_(world.loop()) {
    EXPECT_TRUE(udp_.bind(Address::parse("127.0.0.1", 0).value()));
    scene.udp.push_back(udp_.local_address().value());
    receive();
  }
  Handle& handle() override { return udp_; }
  void act() override {
    if (world_.random.one_in(6)) return udp_.receive_stop();
    if (world_.random.one_in(6)) return receive();
    const Address& to = scene_.udp[world_.random.below(scene_.udp.size())];
    StressDatagram& datagram = datagrams_.emplace_back();
    const auto sent = udp_.send(datagram, datagram.bytes, &to, [](DatagramRequest& request, Error) {
      auto& self = static_cast<Station&>(*static_cast<Actor*>(request.socket()->data));
      --self.world_.outstanding;
      self.completed(static_cast<StressDatagram&>(request).done);
      self.world_.act();
    });
    if (sent) ++world_.outstanding;
  }

 private:
  void receive() {
    (void)udp_.receive_start(
        [](Udp& udp, const Datagram& datagram) {
          EXPECT_EQ(datagram.bytes.size(), 16u);
          static_cast<Actor*>(udp.data)->called_back();
        },
        [](Udp& udp, Error) { static_cast<Actor*>(udp.data)->called_back(); });
  }

  Scene& scene_;
  std::deque<StressDatagram>& datagrams_ = world_.keep<std::deque<StressDatagram>>();
  Udp udp_;
};

struct StressWork : Work {
  World* world = nullptr;
  bool is_done = false;
  bool has_run = false;
  bool was_canceled = false;
};

// Its handle is only there to be closed: work belongs to no handle.
class Employer : public Actor {
 public:
  explicit Employer(World& world) : Actor(world), handle_(world.loop()) {}
  Handle& handle() override { return handle_; }
  void act() override {
    if (!works_->empty() && world_.random.one_in(3)) return cancel(works_->back());
    StressWork& work = works_->emplace_back();
    work.world = &world_;
    ++world_.outstanding;
    world_.loop().pool().submit(
        work, [](Work& self) { static_cast<StressWork&>(self).has_run = true; },
        [](Work& self, Error error) {
          auto& ended = static_cast<StressWork&>(self);
          EXPECT_FALSE(ended.is_done) << "work completed twice";
          ended.is_done = true;
          EXPECT_EQ(error == Error::canceled, ended.was_canceled);
          EXPECT_EQ(ended.has_run, !ended.was_canceled);
          --ended.world->outstanding;
          ended.world->act();
        });
  }

 private:
  void cancel(StressWork& work) {
    if (!work.is_outstanding()) return;
    const auto canceled = world_.loop().pool().cancel(work);
    if (canceled)
      work.was_canceled = true;
    else
      EXPECT_EQ(canceled.error(), Error::busy);
  }

  Check handle_;
  // Outlives the handle, as long as the world.
  std::deque<StressWork>* works_ = &world_.keep<std::deque<StressWork>>();
};

void open_pair(World& world) {
  const PipeOptions options{.passes_descriptors = world.random.one_in(2)};
  auto pair = Pipe::make_pair();
  ASSERT_TRUE(pair);
  Channel& there = world.channel(world.random.next());
  Channel& back = world.channel(world.random.next());
  auto& near_end = world.add<Connection<Pipe>>(options);
  auto& far_end = world.add<Connection<Pipe>>(options);
  near_end.carry(back, there);
  far_end.carry(there, back);
  EXPECT_TRUE(near_end.stream().adopt(std::move(pair->first)));
  EXPECT_TRUE(far_end.stream().adopt(std::move(pair->second)));
  near_end.read();
  far_end.read();
}

void open_client(World& world, Scene& scene) {
  auto& client = world.add<Connection<Tcp>>();
  Channel& there = world.channel(world.random.next());
  Channel& back = world.channel(world.random.next());
  client.carry(back, there);
  if (world.random.one_in(8)) return client.connect(Address::parse("127.0.0.1", 1).value());  // nobody there
  client.connect(*scene.tcp);
  if (const auto local = client.stream().local_address())
    scene.by_client_port[local->port()] = {&there, &back};
}

void open_local_client(World& world, Scene& scene) {
  auto& client = world.add<Connection<Pipe>>();
  client.carry(world.channel(0), world.channel(0));
  client.connect(*scene.local);
}

void open_something(World& world, Scene& scene) {
  switch (world.random.below(16)) {
    case 0:
      return (void)world.add<Acceptor>(scene, world.random.one_in(2));
    case 1:
    case 2:
    case 3:
      return open_client(world, scene);
    case 4:
    case 5:
      return open_local_client(world, scene);
    case 6:
    case 7:
      return open_pair(world);
    case 8:
      return (void)world.add<TimerActor>();
    case 9:
      return (void)world.add<WatcherActor<Idle>>();
    case 10:
      return (void)world.add<WatcherActor<Check>>();
    case 11:
      return (void)world.add<AsyncActor>();
    case 12:
      return (void)world.add<SignalActor>();
    case 13:
      return (void)world.add<PollActor>();
    case 14:
      if (world.random.one_in(4)) return (void)world.add<Child>();
      return (void)world.add<Employer>();
    default:
      return (void)world.add<Station>(scene);
  }
}

void run_world(std::uint64_t seed, std::size_t budget) {
  World world(seed, budget);
  Scene scene;
  world.open_something = [&] { open_something(world, scene); };
  world.add<Acceptor>(scene, true);
  world.add<Acceptor>(scene, false);
  TestTimer heartbeat(world.loop());
  heartbeat.start_in(
      0ns,
      [&] {
        world.act();
        if (world.random.one_in(20)) world.loop().stop();
        if (world.is_ending() && world.live() == 0) heartbeat.stop();
      },
      200us);
  while (true) {
    const bool waits = world.random.one_in(2);
    const bool alive = world.loop().run(waits ? RunMode::until_idle : RunMode::nowait);
    if (!alive && !heartbeat.is_active()) break;
  }
  EXPECT_EQ(world.outstanding, 0u) << "a request never completed";
  EXPECT_EQ(world.live(), 0u) << "a close callback never came";
}

std::uint64_t number_from_environment(const char* name, std::uint64_t otherwise) {
  const char* const text = std::getenv(name);
  return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::uint64_t kSeeds = 12;
#else
constexpr std::uint64_t kSeeds = 40;
#endif

TEST(StressTest, whatever_happens_the_promises_hold) {
  if (is_simulated()) GTEST_SKIP() << "needs the kernel";
  const auto before_1 = signal(SIGUSR1, SIG_IGN);
  const auto before_2 = signal(SIGUSR2, SIG_IGN);
  const std::uint64_t only = number_from_environment("REFLOOP_STRESS_SEED", 0);
  const std::uint64_t last = only ? only : number_from_environment("REFLOOP_STRESS_SEEDS", kSeeds);
  for (std::uint64_t seed = only ? only : 1; seed <= last && !HasFailure(); ++seed) {
    SCOPED_TRACE("REFLOOP_STRESS_SEED=" + std::to_string(seed));
    const auto before = open_descriptors();
    run_world(seed, 1'000);
    // A child that was given up has a thread that waits for it, and a descriptor, until it is gone.
    for (int tries = 0; open_descriptors() > before && tries < 2'000; ++tries) usleep(1'000);
    EXPECT_EQ(open_descriptors(), before) << "a descriptor leaks";
  }
  signal(SIGUSR1, before_1);
  signal(SIGUSR2, before_2);
}

}  // namespace
}  // namespace refloop::stress::stress_test
