#include "conformance/programs/differential.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

namespace tickmark::programs {
namespace {

constexpr uint64_t kRunsLeast = 30;
constexpr double kShift = 0.2;

class Comparing {
 public:
  Comparing(const Plan& plan, const Subject& first, const Subject& second)
      : plan_(plan),
        subjects_{&first, &second},
        acceptors_{Acceptor(second.profile), Acceptor(first.profile)} {}

  Expected<Difference> run() {
    for (uint64_t from = plan_.first; from < plan_.first + plan_.programs; from += plan_.chunk) {
      const uint64_t to = std::min(from + plan_.chunk, plan_.first + plan_.programs);
      const ProgramFile file = draw(plan_, from, to);
      std::map<uint64_t, std::array<Run, 2>> both;
      for (unsigned i = 0; i < 2; ++i) {
        auto runs = subjects_[i]->play(file);
        if (!runs) return std::unexpected(runs.error());
        for (Run& run : *runs) both[run.program][i] = std::move(run);
      }
      for (auto& [id, runs] : both) {
        if (id >= from && id < to) compare(file.programs[id - from], runs);
      }
      if (plan_.progress) plan_.progress(to - plan_.first);
    }
    for (auto& [names, pair] : pairs_) {
      if (pair.runs[0] < kRunsLeast || pair.runs[1] < kRunsLeast) continue;
      if (std::abs(pair.share(0) - pair.share(1)) > kShift) result_.pairs.push_back(pair);
    }
    return std::move(result_);
  }

 private:
  void compare(const Program& program, std::array<Run, 2>& runs) {
    ++result_.programs;
    for (unsigned i = 0; i < 2; ++i) count_pairs(program, runs[i], i);
    if (runs[0].steps == runs[1].steps) {
      ++result_.same;
      return;
    }
    bool is_explained = true;
    for (unsigned i = 0; i < 2; ++i) {
      auto refusal = acceptors_[i].judge(program, runs[i].steps);
      if (!refusal || !refusal->is_strict) continue;
      is_explained = false;
      if (result_.findings.size() >= plan_.findings_most) continue;
      result_.findings.push_back({program, runs[i], std::move(*refusal)});
      result_.findings_of.push_back(i);
    }
    ++(is_explained ? result_.explained : result_.unexplained);
  }

  void count_pairs(const Program& program, const Run& run, unsigned subject) {
    std::array<size_t, kMaxActions> place{};
    for (size_t i = run.steps.size(); i-- > 0;) place[run.steps[i].label] = i + 1;
    for (size_t of = 0; of < program.size(); ++of) {
      program.each_in_body(static_cast<Label>(of), [&](Label first) {
        for (Label second = program[first].next; second != 0; second = program[second].next) {
          if (place[first] == 0 || place[second] == 0) continue;
          count_pair(program, static_cast<Label>(of), first, second, place[first] < place[second], subject);
        }
      });
    }
  }

  void count_pair(const Program& program, Label of, Label first, Label second, bool in_order,
                  unsigned subject) {
    const Verb a = program[first].verb;
    const Verb b = program[second].verb;
    if (a < Verb::timeout || b < Verb::timeout || !has_callback(a) || !has_callback(b)) return;
    const std::string names =
        fmt::format("{}, {} from {}", name_of(a), name_of(b), name_of(program[of].verb));
    FreePair& pair = pairs_[names];
    pair.names = names;
    ++pair.runs[subject];
    pair.in_order[subject] += in_order ? 1 : 0;
  }

  const Plan& plan_;
  std::array<const Subject*, 2> subjects_;
  std::array<Acceptor, 2> acceptors_;
  std::map<std::string, FreePair> pairs_;
  Difference result_;
};

}  // namespace

Expected<Difference> compare(const Plan& plan, const Subject& first, const Subject& second) {
  return Comparing(plan, first, second).run();
}

}  // namespace tickmark::programs
