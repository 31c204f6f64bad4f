#include "harness/cli/loaded_player.h"

#include <algorithm>
#include <atomic>
#include <fmt/format.h>
#include <thread>

#include "harness/load/load.h"
#include "harness/process/subject_process.h"
#include "harness/vocabulary/workload.h"

namespace tickmark::cli {
namespace {

constexpr double kLoadedRate = 2000;  // messages per second over all connections
constexpr uint64_t kLoadedSeed = 1;

Expected<Client> make_sockets_client() {
  const auto entry = std::ranges::find(client_entries(), "sockets", &ClientEntry::id);
  if (entry == client_entries().end())
    return environment_error("this build has no client half of the workload sockets; build it again");
  return entry->make(ClientSetup{});
}

/// The load beside one player, on a thread of its own until it is told that the player has ended.
class LoadBeside {
 public:
  LoadBeside(const process::Ready& ready, const Client& client, int connections, Nanos deadline)
      : connections_(connections) {
    config_.address = ready.address;
    config_.port = ready.port;
    config_.duration = deadline;
    config_.seed = kLoadedSeed;
    config_.lanes.push_back(
        {.name = "main", .client = &client, .connections = connections, .rate_per_s = kLoadedRate});
    thread_ = std::thread([this] { run(); });
  }

  /// What was wrong with it; "" = nothing.
  std::string end() {
    over_ = true;
    thread_.join();
    if (!error_.empty()) return error_;
    const load::LaneReport& lane = report_.lanes.front();
    if (lane.wrong_replies > 0)
      return fmt::format("{} wrong replies beside the runs: {}", lane.wrong_replies, lane.wrong_reply);
    // Those that were lost fell with the player.
    if (lane.connections_established < connections_)
      return fmt::format("{} of {} connections were held", lane.connections_established, connections_);
    return "";
  }

 private:
  void run() {
    load::LoadHooks hooks;
    hooks.interrupted = [this] { return over_.load(); };
    auto report = load::run_load(config_, hooks);
    if (!report)
      error_ = report.error().message;
    else
      report_ = std::move(*report);
  }

  int connections_;
  load::LoadConfig config_;
  load::LoadReport report_;
  std::string error_;
  std::atomic<bool> over_{false};
  std::thread thread_;
};

}  // namespace

conformance::ProcessResult process_result(const process::ExitReport& exit, Nanos deadline) {
  conformance::ProcessResult result{
      .exit_code = exit.code, .signal = exit.signal, .timed_out = exit.hung, .stderr_tail = exit.stderr_tail};
  if (exit.hung && exit.usage_when_hung) {
    result.hang.lasted = deadline;
    result.hang.cpu = exit.usage_when_hung->cpu_time;
    result.hang.waited = exit.usage_when_hung->run_queue_wait;
  }
  return result;
}

conformance::RunProcess loaded_runner(Parameters options, int connections, LoadFaults& faults) {
  return [options = std::move(options), connections, &faults](
             const std::vector<std::string>& argv, Nanos deadline) -> Expected<conformance::ProcessResult> {
    const auto client = make_sockets_client();
    if (!client) return std::unexpected(client.error());
    process::Command command = argv;
    command.insert(command.end(), {"--serve", "sockets"});
    for (const auto& [key, value] : options) command.insert(command.end(), {"--option", key + "=" + value});
    process::ExitReport fault;
    auto player = process::SubjectProcess::start(command, {}, &fault);
    process::ExitReport exit = fault;
    if (player) {
      LoadBeside load(player->ready(), *client, connections, deadline);
      exit = player->stop(deadline);  // it ends by itself, when it has played everything
      const std::string wrong = load.end();
      if (faults.first.empty()) faults.first = wrong;
    }
    return process_result(exit, deadline);
  };
}

}  // namespace tickmark::cli
