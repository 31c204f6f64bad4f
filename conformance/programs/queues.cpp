#include "conformance/programs/queues.h"

namespace tickmark::programs {

Step Queues::take_next() {
  while (true) {
    if (!in_jobs_ && !ticks_.empty()) return {ticks_.pop().label, StepKind::callback};
    in_jobs_ = true;
    while (!jobs_.empty()) {
      const Entry job = jobs_.pop();
      if (job.further_jobs == 0) return {job.label, StepKind::callback};
      jobs_.push({job.label, static_cast<uint8_t>(job.further_jobs - 1)});
    }
    in_jobs_ = false;
    if (ticks_.empty()) return {rejections_.pop().label, StepKind::unhandled};
  }
}

RuleId Queues::rule_against(const Program& program, Step expected, Step seen) {
  if (expected.kind == StepKind::unhandled || seen.kind == StepKind::unhandled)
    return RuleId::rejections_after_the_drain;
  const Verb wanted = program[expected.label].verb;
  const Verb came = program[seen.label].verb;
  if (wanted == Verb::tick) return came == Verb::tick ? RuleId::ticks_fifo : RuleId::ticks_first;
  if (is_job(came)) return RuleId::microtasks_fifo;
  return came == Verb::tick ? RuleId::ticks_wait_for_microtasks : RuleId::microtasks_before_the_loop;
}

}  // namespace tickmark::programs
