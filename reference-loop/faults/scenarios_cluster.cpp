// A supervised cluster: a fault may strike the supervisor or a worker, in its first life or a later one.
#include <signal.h>
#include <sys/wait.h>

#include "reference-loop/cluster.h"
#include "reference-loop/faults/scenario.h"

namespace refloop::faults {
namespace {

using namespace std::chrono_literals;

constexpr char kAnswer = '!';

// In the worker: says its word on every connection, and ends it.
struct Clerk : Tcp {
  explicit Clerk(Loop& loop) : Tcp(loop) {}

  static void serve(Loop& loop, Socket socket) {
    auto* clerk = new Clerk(loop);  // leave() frees it
    if (!clerk->adopt(std::move(socket))) return clerk->leave();
    const Bytes word = std::as_bytes(std::span(&kAnswer, 1));
    const bool said = clerk->send(word) &&
                      clerk->shutdown([](Stream& stream, Error) { static_cast<Clerk&>(stream).leave(); });
    if (!said) clerk->leave();
  }
  void leave() {
    if (is_closing()) return;
    close([](Handle& handle) { delete static_cast<Clerk*>(&handle); });
  }
};

// Serves until it is told to stop; a stubborn one until it is killed.
int work(ClusterWorker& worker, bool stubborn) {
  if (stubborn) {
    worker.on_stop = [] {
      while (true) ::pause();
    };
  }
  if (!worker.serve([&](Socket socket) { Clerk::serve(worker.loop(), std::move(socket)); })) return 3;
  worker.loop().run();
  return 0;
}

// The cluster, and one who asks it until he is answered.
class Town {
 public:
  Town(World& world, PortSharing sharing, bool stubborn)
      : world_(world),
        cluster_(world.loop(), options(world, sharing, stubborn),
                 [stubborn](ClusterWorker& worker) { return work(worker, stubborn); }),
        again_(world.loop()) {
    again_.data = this;
    again_.unref();
    cluster_.events.online = [this](std::size_t, pid_t) { check("online"); };
    cluster_.events.listening = [this](std::size_t) {
      check("listening");
      if (!asker_ && !answered_) ask();
    };
    cluster_.events.exited = [this](std::size_t, ExitStatus status, bool) { hear_exit(status); };
    cluster_.events.failed = [this](const std::string&) {
      check("failed");
      world_.ledger().happened("cluster", Error::bad_state);
      world_.wind_up();
    };
    cluster_.events.stopped = [this] {
      check("stopped");
      world_.ledger().end(stop_, Error::none);
      stopped_ = true;
    };
    world.on_wind_up([this] {
      stop_ = world_.ledger().start("stop");
      again_.close();
      if (asker_ && !asker_->is_closing()) asker_->close();
      cluster_.stop();
    });
  }
  ~Town() {
    siginfo_t info{};
    unsigned zombies = 0;
    while (::waitid(P_ALL, 0, &info, WEXITED | WNOHANG) == 0 && info.si_pid != 0) ++zombies;
    world_.ledger().check(zombies <= lost_, "a worker was left as a zombie");
  }

  void open() {
    if (!world_.ledger().took("cluster start", cluster_.start())) world_.wind_up();
  }

 private:
  static ClusterOptions options(World& world, PortSharing sharing, bool stubborn) {
    return {.address = Address::parse("127.0.0.1", 0).value(),
            .sharing = sharing,
            .worker_loop = {.backend = world.loop().backend_kind()},
            .backoff_min = 1ms,
            .backoff_max = 4ms,
            .drain_timeout = stubborn ? 10ms : 2s};
  }

  void check(const char* event) { world_.ledger().check(!stopped_, std::string(event) + " after 'stopped'"); }
  void hear_exit(const ExitStatus& status) {
    check("exit");
    const bool killed = status.signal == SIGKILL;
    world_.ledger().check(status.signal == 0 || killed, "a worker crashed");
    if (status.lost) ++lost_;
    world_.ledger().happened("exit", status.lost   ? error_from_errno(ECHILD)
                                     : killed      ? Error::canceled
                                     : status.code ? Error::bad_state
                                                   : Error::none);
  }

  // Until a word came: a connection that a dying worker had, or that could not be made, is asked again.
  void ask() {
    constexpr unsigned kAttemptsMax = 1000;
    if (world_.is_winding_up()) return;
    if (++attempts_ > kAttemptsMax) {
      world_.ledger().broken("nobody answers");
      return world_.wind_up();
    }
    asker_ = std::make_unique<Asker>(world_.loop());
    asker_->town = this;
    const auto connecting = asker_->connect(cluster_.address(), [](Stream& stream, Error error) {
      Asker& asker = static_cast<Asker&>(stream);
      if (error == Error::none && asker.read_start(on_word, on_end)) return;
      asker.town->ask_again(error);
    });
    if (!connecting) ask_again(connecting.error());
  }
  static void on_word(Stream& stream, Bytes bytes) {
    Town& town = *static_cast<Asker&>(stream).town;
    town.world_.ledger().check(bytes.size() == 1 && bytes[0] == std::byte{kAnswer}, "not the worker's word");
    town.world_.ledger().happened("answer");
    town.answered_ = true;
    town.world_.wind_up();
  }
  static void on_end(Stream& stream, Error error) { static_cast<Asker&>(stream).town->ask_again(error); }
  void ask_again(Error error) {
    if (world_.is_winding_up()) return;
    world_.ledger().happened("ask", error == Error::none ? Error::connection_reset : error);
    asker_->close([](Handle& handle) {
      Town& town = *static_cast<Asker&>(handle).town;
      if (town.world_.is_winding_up()) return;
      (void)town.again_.start([](Timer& timer) { static_cast<Town*>(timer.data)->ask(); }, 1ms);
    });
  }

  struct Asker : Tcp {
    using Tcp::Tcp;
    Town* town = nullptr;
  };

  World& world_;
  Cluster cluster_;
  Timer again_;
  std::unique_ptr<Asker> asker_;
  Ledger::Ticket stop_ = 0;
  unsigned attempts_ = 0;
  unsigned lost_ = 0;
  bool answered_ = false;
  bool stopped_ = false;
};

}  // namespace

// One worker, who gets the connection from the supervisor and stops when it is told to.
void cluster_hand_off(World& world) {
  Town town(world, PortSharing::hand_off, false);
  town.open();
  world.run();
}

// One worker, who listens itself and has to be killed.
void cluster_reuse_port(World& world) {
  Town town(world, PortSharing::reuse_port, true);
  town.open();
  world.run();
}

}  // namespace refloop::faults
