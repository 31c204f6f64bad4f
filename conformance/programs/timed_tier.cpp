#include "conformance/programs/timed_tier.h"

#include <algorithm>
#include <array>

#include "conformance/programs/label_set.h"

namespace tickmark::programs {
namespace {

constexpr int64_t kUsPerMs = 1000;

}  // namespace

// A timeout is due its duration after the beginning of the callback that armed it, and what that blocked
// before. Those of main, whose beginning is not in the run, are left out, and those that something moves,
// repeats or clears.
bool is_as_on_an_idle_machine(const Program& program, const Run& run) {
  if (run.times_us.size() != run.steps.size()) return true;
  std::array<int64_t, kMaxActions> due_us{};
  LabelSet moved;
  for (size_t i = 1; i < program.size(); ++i) moved.add(program[static_cast<Label>(i)].target);
  LabelSet armed;
  LabelSet seen;
  int64_t latest_us = 0;  // deadline of those that have fired
  bool in_order = true;
  for (size_t i = 0; i < run.steps.size(); ++i) {
    const Label label = run.steps[i].label;
    if (run.steps[i].kind != StepKind::callback || seen.has(label)) continue;
    seen.add(label);
    if (armed.has(label)) {
      in_order &= due_us[label] + kApartUs >= latest_us;
      latest_us = std::max(latest_us, due_us[label]);
    }
    int64_t at_us = run.times_us[i];
    program.each_in_body(label, [&](Label inner) {
      const Action& action = program[inner];
      if (action.verb == Verb::block) at_us += action.ms * kUsPerMs;
      if (action.verb != Verb::timeout || moved.has(inner)) return;
      armed.add(inner);
      due_us[inner] = at_us + action.ms * kUsPerMs;
    });
  }
  return in_order;
}

}  // namespace tickmark::programs
