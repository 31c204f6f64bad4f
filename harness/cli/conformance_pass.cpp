#include "harness/cli/conformance_pass.h"

#include <algorithm>
#include <fmt/format.h>
#include <iterator>
#include <thread>

#include "conformance/oracle/conform.h"
#include "conformance/oracle/expectations.h"
#include "harness/cli/background_pass.h"
#include "harness/cli/loaded_player.h"
#include "harness/run/scratch.h"

namespace tickmark::cli {
namespace {

using conformance::Rule;
using conformance::Verdict;
using process::ResolvedSubject;
using process::SubjectStatus;

/// Runs of a rule of the wire layer: up to half a second each, of real time.
constexpr unsigned kWireRepeatMax = 20;
/// Of which most is waiting: so many clients for each job.
constexpr unsigned kWireClients = 3;

/// A subject that can be judged: it plays, or it serves what the client of the wire layer asks, or both.
struct Player {
  ResolvedSubject subject;
  SubjectStatus status;
  bool plays = false;
};

bool has_feature(const SubjectStatus& status, std::string_view feature) {
  return std::ranges::find(status.description.features, feature) != status.description.features.end();
}

bool has_wire_rule(const std::vector<Rule>& rules, const SubjectStatus& status) {
  return std::ranges::any_of(rules, [&](const Rule& rule) {
    return rule.layer == conformance::Layer::wire && speaks(status.description.workloads, rule.workload, "");
  });
}

/// The players among the subjects asked for; who cannot play stands in `skipped`, with the reason.
Expected<std::vector<Player>> find_players(process::Registry& registry, const PassRequest& request,
                                           const std::vector<Rule>& rules,
                                           std::vector<std::string>& skipped) {
  std::vector<std::string> names = request.subjects;
  if (names.empty()) {
    for (const SubjectManifest& manifest : registry.subjects()) names.push_back(manifest.name);
  }
  std::vector<Player> players;
  for (const std::string& text : names) {
    auto name = SubjectName::parse(text);
    if (!name) return std::unexpected(name.error());
    auto subject = registry.resolve(*name);
    if (!subject) return std::unexpected(subject.error());
    const SubjectStatus status = registry.status(*subject);
    if (!status.available()) {
      const std::string install = status.install.empty() ? "" : " Install it with: " + status.install;
      skipped.push_back(fmt::format("{} is not available: {}{}", text, status.reason, install));
      continue;
    }
    if (auto known = process::Registry::check_options(*subject, status.description); !known) {
      return std::unexpected(known.error());
    }
    const bool plays = has_feature(status, "play");
    if (!plays && !has_wire_rule(rules, status)) {
      if (!request.subjects.empty())
        skipped.push_back(fmt::format("{} has no player: nothing to judge", text));
      continue;
    }
    if (!request.mode.empty() && !has_feature(status, "mode_" + request.mode)) {
      skipped.push_back(fmt::format("{} does not play in mode {}", text, request.mode));
      continue;
    }
    players.push_back({*subject, status, plays});
  }
  return players;
}

/// How the oracle starts a player: under the guard, with the subject's options behind its own arguments.
conformance::RunProcess runner(const ResolvedSubject& subject) {
  return [options = subject.options](const std::vector<std::string>& argv,
                                     Nanos deadline) -> Expected<conformance::ProcessResult> {
    process::Command command = argv;
    for (const auto& [key, value] : options) command.insert(command.end(), {"--option", key + "=" + value});
    process::RunOptions run;
    run.deadline = deadline;
    auto done = process::run_once(command, run);
    if (!done) return std::unexpected(done.error());
    return process_result(done->exit, deadline);
  };
}

/// What was judged beside a load that was not what it should have been says nothing either way.
void doubt(std::vector<Verdict>& verdicts, const std::string& reason) {
  for (Verdict& verdict : verdicts) {
    if (verdict.kind != conformance::VerdictKind::pass && verdict.kind != conformance::VerdictKind::fail)
      continue;
    verdict.kind = conformance::VerdictKind::inconclusive;
    verdict.reason = reason;
  }
}

/// By its own player, or by the client of the wire layer.
Expected<std::vector<Verdict>> judge_player(const Player& player, const PassRequest& request,
                                            const std::vector<Rule>& rules,
                                            const std::filesystem::path& scratch, const std::string& client) {
  conformance::ConformPlan plan;
  plan.subject = player.subject.id;
  plan.argv = player.subject.command;
  plan.lanes = request.jobs > 0 ? request.jobs : std::max(1U, std::thread::hardware_concurrency());
  if (!client.empty()) {
    plan.wire = true;
    plan.lanes *= kWireClients;
    plan.serves = player.status.description.workloads;
    plan.argv.insert(plan.argv.begin(), {client, "--"});
    plan.argv.emplace_back("--");
  }
  plan.versions = player.status.description.versions;
  for (const auto& [component, version] : request.judged_as) plan.versions[component] = version;
  plan.judged_as = request.judged_as_written;
  plan.rules = &rules;
  if (client.empty()) plan.mode = request.mode;
  plan.repeat = client.empty() ? request.repeat : std::min(request.repeat, kWireRepeatMax);
  plan.folder = scratch;
  plan.traces = request.traces;
  plan.apart = request.apart;
  plan.fresh_loops = has_feature(player.status, "fresh_loops");
  if (request.progress) {
    plan.progress = [&](size_t done, size_t of) { request.progress(player.subject.id, done, of); };
  }
  const bool loaded = request.rules_under_load && has_feature(player.status, "play_rules_under_load");
  if (!loaded || !client.empty()) return conformance::conform(plan, runner(player.subject));
  plan.connections = request.background_connections;
  plan.lanes = 1;  // the sockets are those of one process
  LoadFaults faults;
  auto verdicts = conformance::conform(plan, loaded_runner(player.subject.options, plan.connections, faults));
  if (verdicts && !faults.first.empty()) doubt(*verdicts, faults.first);
  return verdicts;
}

/// Sorts verdicts into findings by the subject's expectations file.
Expected<void> judge_expectations(const std::filesystem::path& root, const Player& player,
                                  const std::vector<Rule>& all_rules, std::vector<Verdict>& verdicts,
                                  PassResult& result) {
  const std::string& name = player.subject.name.name;
  auto expectations = conformance::load_expectations(root / "conformance" / "expectations", name,
                                                     player.status.description.versions, all_rules);
  if (!expectations) return std::unexpected(expectations.error());
  const conformance::Findings findings = conformance::compare(verdicts, *expectations);
  for (const Verdict* verdict : findings.unexpected_failures) {
    result.findings.push_back(fmt::format("{} on {}: {}. {} Reproduce: {}",
                                          conformance::name_of(verdict->kind), verdict->subject,
                                          verdict->rule, verdict->says, verdict->reproduce));
  }
  for (const Verdict* verdict : findings.vacuous) {
    result.vacuous.push_back(
        fmt::format("{} had nothing to judge on {} in any of {} runs, which is an error of the suite: {}",
                    verdict->rule, verdict->subject, verdict->runs, verdict->reason));
  }
  for (const Verdict* verdict : findings.unexpected_passes) {
    result.unexpected_passes.push_back(
        fmt::format("{} now passes {}; remove it from conformance/expectations/{}.yaml", verdict->subject,
                    verdict->rule, name));
  }
  return {};
}

}  // namespace

Expected<std::vector<Rule>> select_rules(const std::filesystem::path& root,
                                         const std::vector<std::string>& wanted) {
  auto rules = conformance::load_rules(root / "conformance" / "rules");
  if (!rules || wanted.empty()) return rules;
  std::vector<Rule> selected;
  std::vector<std::string> ids;
  for (const Rule& rule : *rules) ids.push_back(rule.id);
  for (const std::string& name : wanted) {
    const size_t before = selected.size();
    for (const Rule& rule : *rules) {
      if (rule.id == name || rule.id.starts_with(name + "/")) selected.push_back(rule);
    }
    if (selected.size() == before) {
      return usage_error(fmt::format("rule '{}' does not exist; see 'tickmark list rules'.{}", name,
                                     process::did_you_mean(name, ids)));
    }
  }
  return selected;
}

Expected<PassResult> conformance_pass(process::Registry& registry, const PassRequest& request) {
  const std::filesystem::path& root = registry.paths().root;
  auto all_rules = select_rules(root, {});
  if (!all_rules) return std::unexpected(all_rules.error());
  auto rules = select_rules(root, request.rules);
  if (!rules) return std::unexpected(rules.error());
  PassResult result;
  auto players = find_players(registry, request, *rules, result.skipped);
  if (!players) return std::unexpected(players.error());
  auto scratch = run::Scratch::create();
  if (!scratch) return std::unexpected(scratch.error());
  for (const Player& player : *players) {
    if (request.interrupted && request.interrupted()) break;
    std::vector<Verdict> verdicts;
    for (const std::string& client : {std::string(), (registry.paths().bin / "player_wire").string()}) {
      if (client.empty() && !player.plays) continue;
      if (!client.empty() && !request.mode.empty()) continue;  // the wire does not know the mode
      auto judged = judge_player(player, request, *rules, scratch->folder(), client);
      if (!judged) return std::unexpected(judged.error());
      std::ranges::move(*judged, std::back_inserter(verdicts));
    }
    if (request.background_connections > 0 && has_feature(player.status, "play_under_load")) {
      auto background =
          background_pass(player.subject, *rules, request.background_connections, scratch->folder());
      if (!background) return std::unexpected(background.error());
      verdicts.insert(verdicts.end(), background->begin(), background->end());
    }
    if (auto judged = judge_expectations(root, player, *all_rules, verdicts, result); !judged) {
      return std::unexpected(judged.error());
    }
    for (Verdict& verdict : verdicts) {
      if (request.verdict) request.verdict(verdict);
      result.verdicts.push_back(std::move(verdict));
    }
  }
  return result;
}

}  // namespace tickmark::cli
