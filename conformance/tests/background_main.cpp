// Judges one background trace: background RULES TRACE. One line per generic rule; exit 1 when one is
// violated.
#include <fmt/format.h>

#include "conformance/oracle/background.h"

int main(int argc, char** argv) {
  using namespace tickmark::conformance;
  if (argc != 3) {
    fmt::print(stderr, "usage: {} RULES TRACE\n", argv[0]);
    return 2;
  }
  const auto rules = load_rules(argv[1]);
  const auto verdicts = rules ? judge_background(argv[2], *rules, "reference_loop")
                              : tickmark::Expected<std::vector<Verdict>>(std::unexpected(rules.error()));
  if (!verdicts) {
    fmt::print(stderr, "{}\n", verdicts.error().message);
    return 2;
  }
  bool violated = false;
  for (const Verdict& verdict : *verdicts) {
    fmt::print("{:<8} {:<45} {} applicable, {} failed {}\n", name_of(verdict.kind), verdict.rule,
               verdict.applicable, verdict.failed, verdict.reason);
    violated = violated || verdict.is_violation();
  }
  return violated ? 1 : 0;
}
