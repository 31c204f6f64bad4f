// Plays the whole catalogue on one player: catalogue REPEAT RULES [--as NAME@VERSION] [--only PREFIX]
// [--versions K=V] -- ARGV...
// One line per rule that did not pass, a summary, and exit 1 when a must or should rule is violated. The tool
// behind "all rules x 1,000 repetitions, idle and with both cores busy".
#include <cstdlib>
#include <fmt/format.h>
#include <map>
#include <string_view>

#include "conformance/oracle/conform.h"
#include "conformance/tests/run_process.h"

using namespace tickmark;
using namespace tickmark::conformance;

namespace {

struct Arguments {
  unsigned repeat = 20;
  std::string rules;
  std::string only;
  Versions versions;
  std::vector<std::string> argv;
};

std::optional<Arguments> parse(int argc, char** argv) {
  if (argc < 5) return std::nullopt;
  Arguments arguments{static_cast<unsigned>(std::strtoul(argv[1], nullptr, 10)), argv[2], "", {}, {}};
  int i = 3;
  for (; i + 1 < argc && std::string_view(argv[i]) != "--"; i += 2) {
    const std::string_view flag = argv[i];
    const std::string value = argv[i + 1];
    if (flag == "--only") {
      arguments.only = value;
    } else if (flag == "--as") {
      const auto as = parse_as(value);
      if (!as) return std::nullopt;
      for (const auto& [component, version] : *as) arguments.versions[component] = version;
    } else if (flag == "--versions") {
      arguments.versions[value.substr(0, value.find('='))] = value.substr(value.find('=') + 1);
    } else {
      return std::nullopt;
    }
  }
  for (++i; i < argc; ++i) arguments.argv.emplace_back(argv[i]);
  return arguments.repeat == 0 || arguments.argv.empty() ? std::nullopt : std::optional(arguments);
}

void print(const Verdict& verdict) {
  if (verdict.kind == VerdictKind::pass && verdict.orders.empty()) return;
  fmt::print("{:<13} {:<55} {}/{} failed, {} applicable: {}\n", name_of(verdict.kind), verdict.rule,
             verdict.failed, verdict.runs, verdict.applicable, verdict.reason);
  if (verdict.kind == VerdictKind::fail)
    fmt::print("{:13} required [{}] seen [{}]\n", "", fmt::join(verdict.required, "; "),
               fmt::join(verdict.seen, " "));
}

}  // namespace

int main(int argc, char** argv) {
  const auto arguments = parse(argc, argv);
  if (!arguments) {
    fmt::print(stderr,
               "usage: {} REPEAT RULES [--as NAME@VERSION] [--versions K=V] [--only PREFIX] -- ARGV...\n",
               argv[0]);
    return 2;
  }
  auto rules = load_rules(arguments->rules);
  if (!rules) {
    fmt::print(stderr, "{}\n", rules.error().message);
    return 2;
  }
  std::erase_if(*rules, [&](const Rule& rule) { return !rule.id.starts_with(arguments->only); });
  const ScratchFolder scratch;
  const ConformPlan plan{.subject = "player",
                         .argv = arguments->argv,
                         .versions = arguments->versions,
                         .rules = &*rules,
                         .mode = "",
                         .repeat = arguments->repeat,
                         .folder = scratch.path(),
                         .traces = {},
                         .progress = {}};
  const Nanos start = now();
  const auto verdicts = conform(plan, run_process);
  if (!verdicts) {
    fmt::print(stderr, "{}\n", verdicts.error().message);
    return 3;
  }
  std::map<std::string_view, unsigned> kinds;
  bool violated = false;
  for (const Verdict& verdict : *verdicts) {
    print(verdict);
    ++kinds[name_of(verdict.kind)];
    violated = violated || verdict.is_violation();
  }
  fmt::print("{} rules x {} in {:.1f} s:", verdicts->size(), arguments->repeat, seconds(now() - start));
  for (const auto& [kind, count] : kinds) fmt::print(" {} {}", count, kind);
  fmt::print("\n");
  return violated ? 1 : 0;
}
