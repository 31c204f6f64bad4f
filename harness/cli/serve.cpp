// tickmark serve: one subject alone, under its guard, until stdin closes.

#include <algorithm>
#include <csignal>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>
#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "harness/base/unique_fd.h"
#include "harness/cli/pairs.h"
#include "harness/cli/verb.h"
#include "harness/process/registry.h"

namespace tickmark::cli {
namespace {

struct ServeFlags {
  std::string subject;
  std::string workload;
  std::string address;
  std::string port;
  std::vector<std::string> params;
};

/// Blocks until stdin is closed, a signal to stop arrives, or the subject has ended; polls the latter.
int wait_for_end(const process::SubjectProcess& subject, int signals) {
  while (subject.alive()) {
    pollfd watched[] = {{STDIN_FILENO, POLLIN, 0}, {signals, POLLIN, 0}};
    if (::poll(watched, 2, 100) <= 0) continue;
    if (watched[1].revents != 0) {
      signalfd_siginfo info;
      return ::read(signals, &info, sizeof info) == sizeof info ? static_cast<int>(info.ssi_signo) : SIGTERM;
    }
    char ignored[256];
    if (watched[0].revents != 0 && ::read(STDIN_FILENO, ignored, sizeof ignored) <= 0) return 0;
  }
  return 0;
}

Expected<int> run_verb(const ServeFlags& options) {
  auto name = SubjectName::parse(options.subject);
  if (!name) return std::unexpected(name.error());
  auto params = parse_pairs("--param", options.params);
  if (!params) return std::unexpected(params.error());
  auto paths = process::find_paths();
  if (!paths) return std::unexpected(paths.error());
  auto registry = process::Registry::load(*paths);
  if (!registry) return std::unexpected(registry.error());
  if (auto known = registry->workload(options.workload); !known) return std::unexpected(known.error());
  auto subject = registry->resolve(*name);
  if (!subject) return std::unexpected(subject.error());
  const process::SubjectStatus status = registry->status(*subject);
  if (!status.available()) {
    return environment_error(fmt::format("subject '{}' is not available: {}{}{}", options.subject,
                                         status.reason,
                                         status.install.empty() ? "" : " Install it with: ", status.install));
  }
  if (auto known = process::Registry::check_options(*subject, status.description); !known) {
    return std::unexpected(known.error());
  }
  const auto& workloads = status.description.workloads;
  // A subject that speaks some variants serves the workload; which requests it knows is seen by asking.
  const auto serves = [&](const std::string& spoken) {
    return spoken.substr(0, spoken.find('/')) == options.workload;
  };
  if (std::ranges::none_of(workloads, serves)) {
    return usage_error(fmt::format("subject '{}' does not serve workload '{}'; it serves {}", options.subject,
                                   options.workload, fmt::join(workloads, ", ")));
  }
  sigset_t mask;
  sigemptyset(&mask);
  sigaddset(&mask, SIGINT);
  sigaddset(&mask, SIGTERM);
  sigprocmask(SIG_BLOCK, &mask, nullptr);
  const UniqueFd signals(signalfd(-1, &mask, SFD_CLOEXEC));

  process::Command command = subject->serve_command(options.workload, *params);
  if (!options.address.empty()) command.insert(command.end(), {"--address", options.address});
  if (!options.port.empty()) command.insert(command.end(), {"--port", options.port});
  auto running = process::SubjectProcess::start(command);
  if (!running) return environment_error(running.error().message);
  fmt::print("{}\n", nlohmann::json{{"ready", running->ready().document}}.dump());
  std::fflush(stdout);
  const int signal = wait_for_end(*running, signals.get());
  const process::ExitReport exit = running->stop();
  if (!exit.final_counters.is_null())
    fmt::print("{}\n", nlohmann::json{{"final", exit.final_counters}}.dump());
  if (exit.crashed || exit.hung) {
    return environment_error(fmt::format("subject '{}' {}; its last words: {}", options.subject,
                                         exit.crashed ? "ended by itself" : "did not end when asked to",
                                         exit.stderr_tail.empty() ? "(none)" : exit.stderr_tail));
  }
  return signal == 0 ? kOk : 128 + signal;
}

}  // namespace

void add_serve(CLI::App& app, Invocation& invocation) {
  auto options = std::make_shared<ServeFlags>();
  CLI::App* verb = add_verb(app, invocation, "serve",
                            "one subject alone: prints its ready line, serves until stdin closes",
                            [options] { return run_verb(*options); });
  verb->add_option("subject", options->subject, "name[@version][:key=value,...]")->required();
  verb->add_option("--workload", options->workload, "what it serves (tickmark list workloads)")->required();
  verb->add_option("--address", options->address, "default 127.0.0.1: reachable from this machine only");
  verb->add_option("--port", options->port, "default 0: any free port, named in the ready line");
  verb->add_option("--param", options->params, "parameter of the workload, name=value");
}

}  // namespace tickmark::cli
