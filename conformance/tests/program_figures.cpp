#include "conformance/tests/program_figures.h"

namespace tickmark::programs {

std::string describe(const Program& program, const std::vector<Step>& steps, const Refusal& refusal) {
  std::string text = to_text(program) + "seen:";
  for (const Step step : steps) text += " " + name_of(program, step);
  return text + "\n" + to_text(program, refusal) + "\n" + to_json(program) + "\n";
}

Sweep sweep(uint64_t seed, uint64_t count, const Shape& shape, const Perturbation& perturbation) {
  Sweep result;
  VirtualProgram player(seed, perturbation);
  Acceptor acceptor(virtual_profile());
  const Nanos start = now();
  for (uint64_t index = 0; index < count; ++index) {
    const Program program = generate(seed, index, shape);
    const Run& run = player.play(program);
    result.callbacks += run.steps.size();
    ++result.programs;
    const auto refusal = acceptor.judge(program, run.steps);
    if (!refusal) continue;
    if (!refusal->is_strict) {
      ++result.inconclusive;
      continue;
    }
    if (result.refused++ == 0) result.first_refusal = describe(program, run.steps, *refusal);
  }
  result.taken = now() - start;
  return result;
}

}  // namespace tickmark::programs
