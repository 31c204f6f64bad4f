#include "baselines/cluster/parent.h"

#include <cerrno>
#include <cstring>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sstream>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "baselines/cluster/channel.h"
#include "baselines/cluster/worker.h"

namespace tickmark {
namespace {

constexpr int kAcceptsPerTurn = 64;  // between two looks at the workers and at the order to stop

void add_counters(const std::string& text, subject::Final& sum) {
  std::istringstream lines(text);
  std::string name;
  uint64_t value = 0;
  while (lines >> name >> value) sum.counters[name] += value;
}

}  // namespace

Expected<void> Parent::start_workers(int count, refloop::LoopOptions options,
                                     std::optional<uint16_t> own_port) {
  for (int i = 0; i < count; ++i) {
    auto channel = make_channel();
    if (!channel) return std::unexpected(channel.error());
    const pid_t pid = ::fork();
    if (pid < 0) {
      return environment_error(fmt::format("cannot fork worker {}: {}; lower --option workers={}", i + 1,
                                           std::strerror(errno), count));
    }
    if (pid == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // a worker amid ten seconds of work must not outlive the parent
      channel->first.reset();
      workers_.clear();  // their channels must end when the parent's do
      ::_exit(run_worker(context_, options, std::move(channel->second), own_port));
    }
    workers_.push_back({pid, std::move(channel->first)});
  }
  for (const Worker& worker : workers_) {
    const auto text = receive_text(worker.channel.get());
    if (!text) return environment_error(fmt::format("worker {} died before it could serve", worker.pid));
    if (*text != "listening") return environment_error(*text);
  }
  return {};
}

// What a worker says before it is told to stop can only be its end.
Expected<void> Parent::wait_for_any(int stop, int listener, bool& stopped) {
  std::vector<pollfd> watched = {{stop, POLLIN, 0}, {listener, POLLIN, 0}};
  for (const Worker& worker : workers_) watched.push_back({worker.channel.get(), POLLIN, 0});
  ::poll(watched.data(), watched.size(), -1);
  stopped = watched[0].revents != 0;
  if (stopped) return {};
  for (size_t i = 2; i < watched.size(); ++i) {
    if (watched[i].revents) {
      return subject_error(fmt::format("worker {} died while it served", workers_[i - 2].pid));
    }
  }
  return {};
}

Expected<void> Parent::wait(int stop) {
  bool stopped = false;
  while (!stopped) {
    if (auto ok = wait_for_any(stop, -1, stopped); !ok) return ok;
  }
  return {};
}

Expected<void> Parent::hand_out(int stop, int listener) {
  size_t turn = 0;
  bool stopped = false;
  while (true) {
    if (auto ok = wait_for_any(stop, listener, stopped); !ok || stopped) return ok;
    for (int i = 0; i < kAcceptsPerTurn; ++i) {
      const UniqueFd socket(::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
      if (!socket) break;
      const Worker& worker = workers_[turn++ % workers_.size()];
      if (!send_socket(worker.channel.get(), socket.get())) {
        return subject_error(fmt::format("worker {} died while it served", worker.pid));
      }
    }
  }
}

subject::Final Parent::stop_workers() {
  subject::Final sum;
  for (const Worker& worker : workers_) ::shutdown(worker.channel.get(), SHUT_WR);
  for (const Worker& worker : workers_) {
    if (const auto text = receive_text(worker.channel.get())) add_counters(*text, sum);
  }
  return sum;
}

Parent::~Parent() {
  for (Worker& worker : workers_) worker.channel.reset();
  for (const Worker& worker : workers_) {
    while (::waitpid(worker.pid, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
}

}  // namespace tickmark
