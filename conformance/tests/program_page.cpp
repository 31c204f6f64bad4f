#include "conformance/tests/program_page.h"

#include <algorithm>
#include <fmt/format.h>

#include "conformance/tests/program_swaps.h"

namespace tickmark::programs {
namespace {

constexpr uint64_t kSwapPrograms = 5000;
constexpr uint64_t kSmallPrograms = 1000;
constexpr uint64_t kThrowingPrograms = 100'000;  // of each seed
constexpr uint64_t kThrowingSeeds = 5;

// Why neighbours of these kinds may be exchanged, as far as they may.
struct Reason {
  std::string_view first;
  std::string_view second;
  std::string_view why;
};
constexpr Reason kReasons[] = {
    {"tick", "", "never: after each callback there is one order"},
    {"microtask", "", "never: after each callback there is one order"},
    {"pool", "pool", "several threads, and none is faster"},
    {"pool", "timeout", "how long an operation takes is open, and when a timeout is due as well"},
    {"pool", "immediate",
     "an operation completes in this poll phase or a later one, unless it was started in this one"},
    {"pool", "close", "an operation completes in this poll phase or a later one"},
    {"timeout", "timeout",
     "of two durations, if the longer was armed first, or stands in a list that may have expired first: a "
     "machine may "
     "stall between any two calls"},
    {"timeout", "immediate", "whether a timeout is due when the loop comes by hangs on the clock"},
    {"timeout", "close", "whether a timeout is due when the loop comes by hangs on the clock"},
    {"immediate", "immediate", "never: first in, first out"},
    {"immediate", "close", "which phase is next after the one that asked for them is certain"},
    {"close", "close", "in one closing phase: the newest first or the oldest, as an implementation likes"},
};

std::string_view why_free(std::string_view first, std::string_view second) {
  for (const Reason& reason : kReasons) {
    const bool in_order = reason.first == first && (reason.second == second || reason.second.empty());
    const bool reversed = reason.first == second && (reason.second == first || reason.second.empty());
    if (in_order || reversed) return reason.why;
  }
  return "";
}

double percent(const SwapCount& count) {
  return count.swaps == 0 ? 0 : 100.0 * static_cast<double>(count.refused) / static_cast<double>(count.swaps);
}

// One row for both orders of two kinds.
std::map<std::pair<std::string, std::string>, SwapCount> unordered(const Swaps& seen) {
  std::map<std::pair<std::string, std::string>, SwapCount> rows;
  for (const auto& [name, count] : seen.by_pair) {
    const size_t comma = name.find(", ");
    std::pair<std::string, std::string> kinds{name.substr(0, comma), name.substr(comma + 2)};
    if (kinds.second < kinds.first) std::swap(kinds.first, kinds.second);
    rows[kinds].swaps += count.swaps;
    rows[kinds].refused += count.refused;
  }
  return rows;
}

std::string rules_table() {
  std::string text = "| rule | says |\n|---|---|\n";
  for (int i = 1; i <= static_cast<int>(kLastRule); ++i) {
    const auto rule = static_cast<RuleId>(i);
    text += fmt::format("| `{}` | {} |\n", name_of(rule), sentence_of(rule));
  }
  return text;
}

constexpr std::string_view kIntroduction =
    "# The acceptor: which callback may come next\n\n"
    "Random programs ([programs.md](programs.md)) are judged by an acceptor. It replays a run step by step, "
    "keeps "
    "the state a loop would be in that had done the same, and knows at each step which callbacks may come. "
    "Its "
    "rules are all of the strict kind: they hold at any speed of the machine, because none of them reads a "
    "clock. "
    "When something was armed is not known; what *must* have passed since is, and adds up "
    "(`conformance/programs/timers.h`). A *timed tier* beside them says of a run whether timeouts whose "
    "deadlines "
    "are clearly apart came in order; it makes a run inconclusive, never refused.\n\n"
    "*Made by `build/bin/conformance_programs page`.*\n\n## Rules\n\n";

constexpr std::string_view kProfiles =
    "\nWhat differs between versions stands in `conformance/programs/profile.h`: before Node 11 queues drain "
    "behind "
    "a list of timeouts and behind a whole check phase; before Node 12 an `await` takes three jobs; up to "
    "Node 25 "
    "ticks that an error has left over run before the immediates of the next check phase, from 26 behind the "
    "first "
    "of them. Of errors the acceptor knows what `reference-loop/node_layer.h` says: behind a failed callback "
    "of the "
    "loop, or a failed tick, the loop goes on before the rest of the ticks runs. When that rest runs is "
    "known in "
    "part only: it hangs on lists of timeouts that are visited in vain, and on turns of the loop in which "
    "nothing "
    "was seen. What is refused behind an error that has left something over is therefore outside of the "
    "strict "
    "tier: the run is inconclusive. On real runtimes programs that throw close no handles: a message port "
    "has "
    "another end, which closes a turn later, and its callback drains what is left in a place that no trace "
    "shows.\n\n"
    "Close callbacks of one closing phase may come in any order: which one is a habit of the "
    "implementation.\n\n";

std::string soundness() {
  Sweep all;
  for (uint64_t seed = 1; seed <= kThrowingSeeds; ++seed) {
    const Sweep seen = sweep(seed, kThrowingPrograms, {.throwing_permille = 1000}, kHeavyPerturbation);
    all.programs += seen.programs;
    all.refused += seen.refused;
    all.inconclusive += seen.inconclusive;
  }
  return fmt::format(
      "Of {} programs that all throw, legally perturbed in virtual time (`conformance_programs perturb "
      "--programs {} --throwing 1000`, seeds 1 to {}), {} were refused and {} inconclusive.\n\n",
      all.programs, kThrowingPrograms, kThrowingSeeds, all.refused, all.inconclusive);
}

}  // namespace

std::string acceptor_page() {
  const Tightness tight = tightness(1, kSmallPrograms, 7);
  const Swaps seen = swaps(1, kSwapPrograms, {});
  std::string text(kIntroduction);
  text += rules_table();
  text += kProfiles;
  text += soundness();
  text += fmt::format(
      "## Tight\n\nOf {} small programs (up to seven callbacks) every order was enumerated in virtual time: "
      "every choice of what is ready in which turn, and up to three stalls of the thread, of four lengths, "
      "anywhere. These are {} orders in {} runs; the acceptor accepts {} of them. Exchanging two neighbours "
      "gives {} more that no run has shown, nor any of 100,000 random schedules ({} others were found so); "
      "it "
      "refuses {} of these, or {:.2f} %. What it lets pass hangs on what *cannot* have passed yet: a timeout "
      "that was not due in one pass tells when those behind it were armed at the latest. The acceptor only "
      "keeps least times.\n\n",
      tight.programs, tight.orders, tight.runs, tight.orders - tight.refused_orders, tight.illegal,
      tight.found_at_random, tight.refused, percent({tight.illegal, tight.refused}));
  text += fmt::format(
      "Of {} programs of the usual size, as they ran, it refuses {:.1f} % of the {} exchanges of neighbours "
      "of "
      "which neither had asked for the other. By kinds, and why the rest is free:\n\n"
      "| neighbours | exchanges | refused | what is free, and why |\n|---|---|---|---|\n",
      kSwapPrograms, percent(seen.all), seen.all.swaps);
  for (const auto& [kinds, count] : unordered(seen)) {
    text += fmt::format("| {}, {} | {} | {:.0f} % | {} |\n", kinds.first, kinds.second, count.swaps,
                        percent(count), why_free(kinds.first, kinds.second));
  }
  return text;
}

}  // namespace tickmark::programs
