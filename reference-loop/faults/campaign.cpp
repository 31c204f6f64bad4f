#include "reference-loop/faults/campaign.h"

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <map>

namespace refloop::faults {
namespace {

// What a fault may cost beyond the same scenario without it: room for another way to the same end, none for
// spinning.
constexpr unsigned kExtraTurns = 60;
constexpr unsigned kExtraCalls = 300;

// Calls that are struck one by one, from the first. With a sanitizer, which is slow, only the first; what is
// done about an error it sees all the same.
#ifdef __SANITIZE_ADDRESS__
constexpr unsigned kStruckEach = 1;
#else
constexpr unsigned kStruckEach = 3;
#endif
constexpr unsigned kFactor = 3;

// A scenario without faults: what it ends with, and how often it makes each call.
struct Baseline {
  Performance performance;
  std::map<std::pair<std::string_view, Target>, unsigned> calls;
};

struct Played {
  const Scenario* scenario;
  BackendKind backend;
  const Baseline* baseline;
};

Baseline baseline_of(const Scenario& scenario, BackendKind backend) {
  Baseline baseline{perform(scenario, backend, std::nullopt), {}};
  for (const Call& call : registry())
    baseline.calls[{call.name, call.target}] = Injector::instance().calls(call.name, call.target);
  return baseline;
}

// The requests that ended otherwise than in the baseline, more often than there, as "write: ECONNRESET".
std::vector<std::pair<std::string, Error>> differences(const Ledger::Outcome& baseline,
                                                       const Ledger::Outcome& outcome) {
  std::vector<std::pair<std::string, Error>> different;
  for (const auto& [ending, count] : outcome) {
    const auto before = baseline.find(ending);
    if (count > (before == baseline.end() ? 0 : before->second)) different.push_back(ending);
  }
  return different;
}

// What the user sees of a fault: the errno, or the resolver's own number as an Error.
Error error_of(const Row& row) {
  const bool of_resolver = row.call->name == "getaddrinfo" || row.call->name == "getnameinfo";
  return of_resolver ? error_from_resolver(row.fault->error) : error_from_errno(row.fault->error);
}

// The empty string if all is as it should be.
std::string judge(const Played& played, const Fault& fault, const Performance& performance, Row& row) {
  const Performance& baseline = played.baseline->performance;
  if (!performance.violations.empty()) return performance.violations.front();
  if (performance.turns > baseline.turns * kFactor + kExtraTurns)
    return std::to_string(performance.turns) + " turns, without the fault " + std::to_string(baseline.turns);
  if (performance.system_calls > baseline.system_calls * kFactor + kExtraCalls)
    return std::to_string(performance.system_calls) + " system calls, without the fault " +
           std::to_string(baseline.system_calls);
  bool reported = false;
  for (const auto& [what, error] : differences(baseline.outcome, performance.outcome)) {
    reported |= error != Error::none && played.scenario->tells == Tells::that_it_failed;
    if (error != error_of(row)) continue;
    reported = true;
    row.seen.insert(what);
  }
  const bool unnoticed = performance.outcome == baseline.outcome;
  const bool is_told_anyway = std::ranges::any_of(
      baseline.outcome, [&](const auto& ending) { return ending.first.second == error_of(row); });
  const bool must_be_told = fault.expect == Expect::reported && played.scenario->tells == Tells::the_error;
  if (unnoticed && must_be_told && !is_told_anyway) return "nobody heard of it";
  if (!unnoticed && fault.expect == Expect::unnoticed) return "not unnoticed";
  if (!unnoticed && !reported) return "requests end otherwise, and none with the error";
  return {};
}

std::string describe(const Played& played, const Call& call, const Fault& fault, const Strike& strike) {
  return std::string(played.scenario->name) + " on " + std::string(name_of(played.backend)) + ": " +
         std::string(call.name) + " " + std::string(fault.name) + " at call " + std::to_string(strike.first) +
         (strike.times > 1 ? " and on" : "") + ": ";
}

// For looking at one: those that contain what REFLOOP_FAULTS_ONLY says, each announced.
bool is_wanted(const std::string& description) {
  static const char* const only = std::getenv("REFLOOP_FAULTS_ONLY");
  if (!only) return true;
  if (description.find(only) == std::string::npos) return false;
  std::cerr << description << std::endl;
  return true;
}

std::string endings(const Ledger::Outcome& outcome) {
  std::string text;
  for (const auto& [ending, count] : outcome)
    text +=
        " " + ending.first + ":" + std::string(refloop::name_of(ending.second)) + "x" + std::to_string(count);
  return text;
}

class Run {
 public:
  explicit Run(Campaign& campaign) : campaign_(campaign) {}

  void play(const Played& played, std::size_t backend_index) {
    const Performance& baseline = played.baseline->performance;
    for (const std::string& violation : baseline.violations)
      campaign_.failures.push_back(std::string(played.scenario->name) + " without faults: " + violation);
    for (Row& row : campaign_.rows) {
      const Fault& fault = *row.fault;
      if (!fault.only_in.empty() && fault.only_in != played.scenario->name) continue;
      const unsigned calls = played.baseline->calls.at({row.call->name, row.call->target});
      bool struck = false;
      for (unsigned first = 1; first <= std::min(calls, kStruckEach); ++first)
        struck |= strike(played, row, first, 1);
      if (calls > 0 && fault.expect == Expect::unnoticed) struck |= strike(played, row, 1, 3);
      // How many calls there are, beyond the first, threads and other processes decide: no number for a
      // table, and what the last one means for the user is not always the same.
      Row untold = row;
      if (calls > 3) strike(played, untold, calls, 1);
      if (struck) ++row.scenarios[backend_index];
    }
  }

 private:
  // Whether it struck.
  bool strike(const Played& played, Row& row, unsigned first, unsigned times) {
    const Fault& fault = *row.fault;
    const Strike strike{.call = row.call->name,
                        .target = row.call->target,
                        .manner = fault.manner,
                        .error = fault.error,
                        .first = first,
                        .times = times};
    if (!is_wanted(describe(played, *row.call, fault, strike))) return false;
    const Performance performance = perform(*played.scenario, played.backend, strike);
    ++campaign_.runs;
    if (performance.hits == 0) return false;
    if (const std::string wrong = judge(played, fault, performance, row); !wrong.empty())
      campaign_.failures.push_back(describe(played, *row.call, fault, strike) + wrong + ";" +
                                   endings(performance.outcome));
    return true;
  }

  Campaign& campaign_;
};

}  // namespace

std::string_view name_of(BackendKind backend) {
  switch (backend) {
    case BackendKind::epoll:
      return "epoll";
    case BackendKind::io_uring:
      return "io_uring";
    case BackendKind::automatic:
    case BackendKind::simulated:
      break;
  }
  return "simulated";
}

Campaign run_campaign(std::span<const BackendKind> backends) {
  Campaign campaign;
  campaign.backends.assign(backends.begin(), backends.end());
  for (const Call& call : registry()) {
    for (const Fault& fault : call.faults)
      campaign.rows.push_back({&call, &fault, std::vector<unsigned>(backends.size()), {}});
  }
  Run run(campaign);
  for (std::size_t backend = 0; backend < backends.size(); ++backend) {
    for (const Scenario& scenario : scenarios()) {
      if (!scenario.is_for(backends[backend])) continue;
      const Baseline baseline = baseline_of(scenario, backends[backend]);
      run.play({&scenario, backends[backend], &baseline}, backend);
    }
  }
  return campaign;
}

}  // namespace refloop::faults
