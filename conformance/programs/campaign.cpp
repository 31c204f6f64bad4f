#include "conformance/programs/campaign.h"

#include <algorithm>
#include <fmt/format.h>

namespace tickmark::programs {
namespace {

class Running {
 public:
  Running(const Plan& plan, const Subject& subject)
      : plan_(plan), subject_(subject), acceptor_(subject.profile) {}

  Expected<Campaign> run() {
    for (uint64_t done = 0; done < plan_.programs;) {
      const uint64_t to = std::min<uint64_t>(done + plan_.chunk, plan_.programs);
      if (auto chunk = run_chunk(plan_.first + done, plan_.first + to); !chunk)
        return std::unexpected(chunk.error());
      done = to;
      if (plan_.progress) plan_.progress(done);
    }
    campaign_.original = campaign_.findings;
    for (Finding& finding : campaign_.findings) {
      if (auto small = make_small(finding); !small) return std::unexpected(small.error());
    }
    return std::move(campaign_);
  }

 private:
  // And plays the smallest again, to say how often it is refused.
  Expected<void> make_small(Finding& finding) {
    const Judges judges = judges_of(subject_, plan_.shape);
    auto small = shrink(finding, plan_.shape, judges, plan_.shrink_tries);
    if (!small) return std::unexpected(small.error());
    finding = std::move(*small);
    auto again = judges(std::vector(plan_.confirmations, finding.program));
    if (!again) return std::unexpected(again.error());
    finding.played_again = plan_.confirmations;
    for (const auto& each : *again) finding.refused_again += each ? 1 : 0;
    return {};
  }

  Expected<void> run_chunk(uint64_t from, uint64_t to) {
    const ProgramFile file = draw(plan_, from, to);
    auto runs = subject_.play(file);
    if (!runs) return std::unexpected(runs.error());
    campaign_.programs += to - from;
    std::vector<bool> has_run(to - from);
    for (Run& run : *runs) {
      if (run.program < from || run.program >= to || has_run[run.program - from])
        return subject_error(
            fmt::format("{} wrote a run of program {} that was not asked for, or a second one", subject_.id,
                        run.program));
      has_run[run.program - from] = true;
      judge(file.programs[run.program - from], std::move(run));
    }
    for (uint64_t i = 0; i < has_run.size(); ++i) {
      if (has_run[i]) continue;
      ++campaign_.missing;
      if (!campaign_.first_missing) campaign_.first_missing = from + i;
    }
    return {};
  }

  void judge(const Program& program, Run run) {
    campaign_.callbacks += run.steps.size();
    auto refusal = acceptor_.judge(program, run.steps);
    if (!refusal || !refusal->is_strict) {
      campaign_.inconclusive += !refusal && is_as_on_an_idle_machine(program, run) ? 0 : 1;
      return;
    }
    ++campaign_.refused;
    const bool is_first = campaign_.by_rule[refusal->rule]++ == 0;
    if (is_first && campaign_.findings.size() < plan_.findings_most)
      campaign_.findings.push_back({program, std::move(run), std::move(*refusal)});
  }

  const Plan& plan_;
  const Subject& subject_;
  Acceptor acceptor_;
  Campaign campaign_;
};

}  // namespace

ProgramFile draw(const Plan& plan, uint64_t from, uint64_t to) {
  ProgramFile file;
  file.slots = plan.shape.slots;
  for (uint64_t index = from; index < to; ++index) {
    // A player shares its time among the places of the file, modulo the slots.
    const auto slot = static_cast<unsigned>((index - from) % plan.shape.slots);
    file.programs.push_back(generate(plan.seed, index, plan.shape, slot));
  }
  return file;
}

// The upper half of an id is a place in the file, so that the same program, played again, has another
// schedule in virtual time.
Judges judges_of(const Subject& subject, const Shape& shape) {
  return [&subject,
          shape](const std::vector<Program>& programs) -> Expected<std::vector<std::optional<Finding>>> {
    constexpr unsigned kPlaceBits = 32;
    ProgramFile file;
    file.slots = shape.slots;
    for (uint64_t i = 0; i < programs.size(); ++i) {
      Program& program = file.programs.emplace_back(in_slot(programs[i], shape, i % shape.slots));
      program.id = (program.id & 0xffff'ffff) + (i << kPlaceBits);
    }
    auto runs = subject.play(file);
    if (!runs) return std::unexpected(runs.error());
    std::vector<std::optional<Finding>> judged(programs.size());
    Acceptor acceptor(subject.profile);
    for (Run& run : *runs) {
      const uint64_t place = run.program >> kPlaceBits;
      if (place >= programs.size()) continue;
      const Program& program = file.programs[place];
      if (auto refusal = acceptor.judge(program, run.steps); refusal && refusal->is_strict)
        judged[place] = Finding{program, std::move(run), std::move(*refusal)};
    }
    return judged;
  };
}

Expected<Campaign> run_campaign(const Plan& plan, const Subject& subject) {
  return Running(plan, subject).run();
}

}  // namespace tickmark::programs
