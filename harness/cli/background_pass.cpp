#include "harness/cli/background_pass.h"

#include <fmt/format.h>

#include "conformance/oracle/background.h"
#include "harness/load/load.h"
#include "harness/process/subject_process.h"
#include "harness/vocabulary/workload.h"

namespace tickmark::cli {
namespace {

using conformance::Verdict;

constexpr Nanos kProgram = 2s;          // length of the background program
constexpr Nanos kPlayerDeadline = 60s;  // of the player, for ramp, program and writing the trace
constexpr double kRate = 5000;          // messages per second over all connections
constexpr uint64_t kSeed = 1;

/// Every generic rule with the same verdict and reason: nothing could be judged.
std::vector<Verdict> all_verdicts(const std::vector<conformance::Rule>& rules, const std::string& subject,
                                  conformance::VerdictKind kind, const std::string& reason) {
  std::vector<Verdict> verdicts;
  for (const conformance::Rule& rule : rules) {
    if (rule.builtin.empty()) continue;
    Verdict verdict = conformance::blank_verdict(rule, subject);
    verdict.condition = "background";
    verdict.kind = kind;
    verdict.reason = reason;
    verdicts.push_back(verdict);
  }
  return verdicts;
}

Expected<Client> sockets_client() {
  for (const ClientEntry& entry : client_entries()) {
    if (entry.id == "sockets") return entry.make(ClientSetup{});
  }
  return environment_error("this build has no client half of the workload sockets; build it again");
}

/// "" if all connections were held and every reply was right, else what was not.
std::string complaint(const load::LoadReport& report, int connections) {
  if (!report.failure.empty()) return report.failure;
  const load::LaneReport& lane = report.lanes.front();
  if (lane.wrong_replies > 0)
    return fmt::format("{} wrong replies beside the program: {}", lane.wrong_replies, lane.wrong_reply);
  if (lane.connections_established != connections || lane.connections_lost > 0) {
    return fmt::format("{} of {} connections were held",
                       lane.connections_established - static_cast<int>(lane.connections_lost), connections);
  }
  return {};
}

}  // namespace

Expected<std::vector<Verdict>> background_pass(const process::ResolvedSubject& subject,
                                               const std::vector<conformance::Rule>& rules, int connections,
                                               const std::filesystem::path& scratch) {
  using conformance::VerdictKind;
  const std::filesystem::path scenario = scratch / "background.json", trace = scratch / "background.ndjson";
  if (auto written = conformance::write_background_scenario(scenario, kSeed, kProgram, kPlayerDeadline);
      !written) {
    return std::unexpected(written.error());
  }
  auto client = sockets_client();
  if (!client) return std::unexpected(client.error());
  auto running = process::SubjectProcess::start(subject.play_command(
      {"--scenarios", scenario.string(), "--trace", trace.string(), "--serve", "sockets"}));
  if (!running) return all_verdicts(rules, subject.id, VerdictKind::crash, running.error().message);

  load::LoadConfig config;
  config.port = running->ready().port;
  config.address = running->ready().address;
  config.duration = kProgram;
  config.lanes.push_back(
      {.name = "main", .client = &*client, .connections = connections, .rate_per_s = kRate});
  auto report = load::run_load(config);
  const process::ExitReport exit = running->stop(kPlayerDeadline);
  if (!report) return std::unexpected(report.error());
  if (exit.crashed || exit.hung || exit.code != 0) {
    return all_verdicts(rules, subject.id, exit.hung ? VerdictKind::hang : VerdictKind::crash,
                        fmt::format("the player ended with status {}, signal {}: {}", exit.code, exit.signal,
                                    exit.stderr_tail));
  }
  if (const std::string bad = complaint(*report, connections); !bad.empty()) {
    return all_verdicts(rules, subject.id, VerdictKind::inconclusive, bad);
  }
  return conformance::judge_background(trace, rules, subject.id);
}

}  // namespace tickmark::cli
