// A cluster as its users see it: real processes, real connections. The supervisor's loop runs in the test.
#include "reference-loop/cluster.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <map>
#include <poll.h>
#include <sys/wait.h>

#include "reference-loop/tcp.h"
#include "reference-loop/test_log.h"
#include "reference-loop/test_loop.h"

namespace refloop::cluster_test {
namespace {

using namespace std::chrono_literals;

// Says its index on every connection and closes it; ends when it is told to.
int serve_index(ClusterWorker& worker) {
  const bool serves = worker
                          .serve([&worker](Socket socket) {
                            const char name = static_cast<char>('0' + worker.index());
                            (void)!::write(socket.fd(), &name, 1);
                          })
                          .has_value();
  if (!serves) return 3;
  worker.loop().run();
  return 0;
}

struct ClusterTest : ::testing::Test {
  void SetUp() override {
    if (is_simulated()) GTEST_SKIP() << "needs processes";
    loop = make_loop();
  }
  void TearDown() override {
    siginfo_t info;
    EXPECT_EQ(::waitid(P_ALL, 0, &info, WEXITED | WNOHANG), -1) << "a zombie or a worker is left";
  }

  static ClusterOptions options(std::size_t workers, PortSharing sharing = PortSharing::reuse_port) {
    return {.address = Address::parse("127.0.0.1", 0).value(),
            .workers = workers,
            .sharing = sharing,
            .backoff_min = 1ms,
            .backoff_max = 4ms};
  }
  Cluster& make(ClusterOptions options, Cluster::WorkerMain main) {
    cluster = std::make_unique<Cluster>(*loop, options, std::move(main));
    cluster->events.exited = [this](std::size_t worker, ExitStatus status, bool restarts) {
      log.push_back(
          "exit " + std::to_string(worker) + " " +
          (status.signal ? "signal " + std::to_string(status.signal) : std::to_string(status.code)) +
          (restarts ? " restarts" : ""));
    };
    cluster->events.failed = [this](const std::string& sentence) { log.push_back(sentence); };
    cluster->events.stopped = [this] { log.push_back("stopped"); };
    return *cluster;
  }
  // One connection: what was said on it is counted in `replies`; `then` when it has ended.
  void ask(std::function<void()> then) {
    struct Client : Tcp {
      using Tcp::Tcp;
      ClusterTest* test = nullptr;
      std::function<void()> then;
    };
    auto* client = new Client(*loop);
    client->test = this;
    client->then = std::move(then);
    ASSERT_TRUE(client->connect(cluster->address(), [](Stream& stream, Error error) {
      ASSERT_EQ(error, Error::none);
      (void)stream.read_start(
          [](Stream& from, Bytes bytes) {
            auto& counts = static_cast<Client&>(from).test->replies;
            for (const std::byte byte : bytes) ++counts[static_cast<char>(byte)];
          },
          [](Stream& from, Error) {
            static_cast<Client&>(from).then();
            from.close([](Handle& handle) { delete static_cast<Client*>(&handle); });
          });
    }));
  }
  void ask_times(int times) {
    if (times == 0) return cluster->stop();
    ask([this, times] { ask_times(times - 1); });
  }
  // `then` when all workers listen, the first time.
  void when_all_listen(std::size_t workers, std::function<void()> then) {
    cluster->events.listening = [this, workers, then = std::move(then), done = false](std::size_t) mutable {
      if (done || cluster->listening_workers() < workers) return;
      done = true;
      then();
    };
  }

  std::unique_ptr<Loop> loop;
  std::unique_ptr<Cluster> cluster;
  Log log;
  std::map<char, int> replies;
};

TEST_F(ClusterTest, hand_off_gives_connections_to_the_workers_in_turn) {
  make(options(3, PortSharing::hand_off), serve_index);
  when_all_listen(3, [&] { ask_times(9); });
  ASSERT_TRUE(cluster->start());
  loop->run();
  EXPECT_EQ(replies, (std::map<char, int>{{'0', 3}, {'1', 3}, {'2', 3}}));
  EXPECT_EQ(log.back(), "stopped");
}

TEST_F(ClusterTest, with_reuse_port_every_connection_is_served_by_one_worker) {
  make(options(3), serve_index);
  when_all_listen(3, [&] { ask_times(30); });
  ASSERT_TRUE(cluster->start());
  EXPECT_NE(cluster->address().port(), 0);
  loop->run();
  int sum = 0;
  for (const auto& [worker, count] : replies) sum += count;
  EXPECT_EQ(sum, 30);
}

TEST_F(ClusterTest, connections_that_come_before_any_worker_listens_wait_for_one) {
  make(options(1, PortSharing::hand_off), serve_index);
  ASSERT_TRUE(cluster->start());
  ask([&] { cluster->stop(); });
  loop->run();
  EXPECT_EQ(replies, (std::map<char, int>{{'0', 1}}));
}

TEST_F(ClusterTest, a_worker_says_online_listening_and_messages_in_order_and_then_exits) {
  make(options(1), [](ClusterWorker& worker) {
    (void)worker.send("hello");
    worker.on_stop = [&] { (void)worker.send("stopping"); };
    const int code = serve_index(worker);
    (void)worker.send("bye");
    return code;
  });
  cluster->events.online = [&](std::size_t, pid_t pid) {
    log.push_back("online");
    EXPECT_EQ(pid, cluster->pid(0));
  };
  cluster->events.message = [&](std::size_t, std::string_view text) { log.emplace_back(text); };
  cluster->events.listening = [&](std::size_t) {
    log.push_back("listening");
    cluster->stop();
  };
  ASSERT_TRUE(cluster->start());
  loop->run();
  EXPECT_EQ(log, (Log{"online", "hello", "listening", "stopping", "bye", "exit 0 0", "stopped"}));
}

TEST_F(ClusterTest, the_last_messages_of_a_worker_come_before_its_exit) {
  ClusterOptions once = options(1);
  once.crashes_max = 0;
  make(once, [](ClusterWorker& worker) {
    for (int i = 0; i < 140; ++i) (void)worker.send("m");
    return 1;
  });
  cluster->events.online = [](std::size_t, pid_t pid) {  // no turn of the loop until it is dead
    siginfo_t info;
    EXPECT_EQ(::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT), 0);
  };
  int messages = 0;
  cluster->events.message = [&](std::size_t, std::string_view) { ++messages; };
  cluster->events.exited = [&](std::size_t, ExitStatus, bool) { EXPECT_EQ(messages, 140); };
  ASSERT_TRUE(cluster->start());
  loop->run();
  EXPECT_EQ(messages, 140);
}

TEST_F(ClusterTest, the_port_is_closed_at_once_by_stop_though_a_worker_takes_its_time) {
  make(options(1, PortSharing::hand_off), [](ClusterWorker& worker) {
    TestTimer lingering(worker.loop());
    worker.on_stop = [&] { lingering.start_in(50ms, [] {}); };
    return serve_index(worker);
  });
  Tcp client(*loop);
  cluster->events.listening = [&](std::size_t) {
    cluster->stop();
    EXPECT_TRUE(client.connect(cluster->address(), [](Stream& stream, Error error) {
      EXPECT_EQ(error, Error::connection_refused);
      stream.close();
    }));
  };
  ASSERT_TRUE(cluster->start());
  loop->run();
  EXPECT_EQ(log, (Log{"exit 0 0", "stopped"}));
}

TEST_F(ClusterTest, a_killed_worker_is_replaced_and_serves_again) {
  make(options(1, PortSharing::hand_off), serve_index);
  int lives = 0;
  cluster->events.listening = [&](std::size_t worker) {
    if (++lives == 1)
      ::kill(cluster->pid(worker), SIGKILL);
    else
      ask_times(1);
  };
  ASSERT_TRUE(cluster->start());
  loop->run();
  EXPECT_EQ(log, (Log{"exit 0 signal 9 restarts", "exit 0 0", "stopped"}));
  EXPECT_EQ(replies, (std::map<char, int>{{'0', 1}}));
}

TEST_F(ClusterTest, too_many_ends_in_a_row_and_the_cluster_gives_up_with_a_sentence) {
  ClusterOptions few = options(1);
  few.crashes_max = 2;
  make(few, [](ClusterWorker&) { return 9; });
  ASSERT_TRUE(cluster->start());
  loop->run();
  EXPECT_EQ(log,
            (Log{"exit 0 9 restarts", "exit 0 9 restarts", "exit 0 9",
                 "worker 1 exited with code 9 before it could serve, 3 times in a row: the cluster stops",
                 "stopped"}));
}

TEST_F(ClusterTest, a_worker_that_lived_long_enough_begins_a_new_row) {
  ClusterOptions forgiving = options(1);
  forgiving.crashes_max = 1;
  forgiving.stable_after = 0ms;  // every life is long enough
  make(forgiving, [](ClusterWorker&) { return 9; });
  int ends = 0;
  cluster->events.exited = [&](std::size_t, ExitStatus, bool restarts) {
    EXPECT_TRUE(restarts);
    if (++ends == 5) cluster->stop();
  };
  ASSERT_TRUE(cluster->start());
  loop->run();
  EXPECT_EQ(ends, 5);
}

TEST_F(ClusterTest, stop_lets_a_worker_finish_what_is_open) {
  make(options(1, PortSharing::hand_off), [](ClusterWorker& worker) {
    Socket open;
    worker.on_stop = [&] {
      (void)!::write(open.fd(), "d", 1);  // only now
      open.reset();
    };
    (void)worker.serve([&](Socket socket) {
      open = std::move(socket);
      (void)worker.send("open");
    });
    worker.loop().run();
    return 0;
  });
  cluster->events.message = [&](std::size_t, std::string_view) { cluster->stop(); };
  ASSERT_TRUE(cluster->start());
  ask([&] { log.push_back("answered"); });
  loop->run();
  EXPECT_EQ(replies, (std::map<char, int>{{'d', 1}}));
  EXPECT_EQ(std::ranges::count(log, "answered"), 1);
  EXPECT_EQ(std::ranges::count(log, "exit 0 0"), 1);
}

TEST_F(ClusterTest, a_worker_that_does_not_stop_is_killed_at_the_deadline) {
  ClusterOptions impatient = options(2);
  impatient.drain_timeout = 20ms;
  make(impatient, [](ClusterWorker& worker) {
    if (worker.index() == 1) return serve_index(worker);
    (void)worker.serve([](Socket) {});
    while (true) ::pause();
  });
  when_all_listen(2, [&] { cluster->stop(); });
  ASSERT_TRUE(cluster->start());
  loop->run();
  EXPECT_EQ(log, (Log{"exit 1 0", "exit 0 signal 9", "stopped"}));
}

TEST_F(ClusterTest, a_port_somebody_listens_on_is_refused_in_both_modes) {
  Listener taken(*loop);
  const auto any = Address::parse("127.0.0.1", 0).value();
  ASSERT_TRUE(taken.listen(any, {.reuse_port = true}, [](Listener&, Socket) {}));
  for (const auto sharing : {PortSharing::reuse_port, PortSharing::hand_off}) {
    ClusterOptions same = options(1, sharing);
    same.address = taken.local_address().value();
    Cluster refused(*loop, same, serve_index);
    EXPECT_EQ(refused.start(), failure(Error::address_in_use));
    refused.stop();
    loop->run(RunMode::nowait);
  }
  taken.close();
  loop->run();
}

// The supervisor is a process of its own here, which dies without a word.
TEST_F(ClusterTest, no_worker_outlives_the_supervisor) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const pid_t supervisor = ::fork();
  if (supervisor == 0) {
    const auto own_loop = make_loop();
    Cluster own(*own_loop, options(1), [](ClusterWorker& worker) {
      (void)worker.serve([](Socket) {});
      while (true) ::pause();
      return 0;
    });
    own.events.listening = [&](std::size_t) {
      const pid_t pid = own.pid(0);
      (void)!::write(ends[1], &pid, sizeof pid);
    };
    (void)own.start();
    own_loop->run();
    ::_exit(0);
  }
  ::close(ends[1]);
  pid_t worker = 0;
  ASSERT_EQ(::read(ends[0], &worker, sizeof worker), ssize_t{sizeof worker});
  ::kill(supervisor, SIGKILL);
  EXPECT_EQ(::waitpid(supervisor, nullptr, 0), supervisor);
  char none;
  EXPECT_EQ(::read(ends[0], &none, 1), 0) << "the worker holds the pipe's other end while it lives";
  ::close(ends[0]);
}

}  // namespace
}  // namespace refloop::cluster_test
