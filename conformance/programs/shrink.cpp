#include "conformance/programs/shrink.h"

namespace tickmark::programs {
namespace {

// Copies a program without some of its actions; labels close up.
class Copy {
 public:
  explicit Copy(const Program& from) : from_(from) { program_.id = from.id; }

  Program without(Label gone, bool keep_body) {
    for (size_t i = 1; i < from_.size(); ++i) {
      parent_[i] = kMain;
      removed_[i] = false;
    }
    for (size_t i = 0; i < from_.size(); ++i) {
      from_.each_in_body(static_cast<Label>(i), [&](Label inner) { parent_[inner] = static_cast<Label>(i); });
    }
    for (size_t i = 1; i < from_.size(); ++i) {
      const Label label = static_cast<Label>(i);
      const Label parent = parent_[i];
      const Label target = from_[label].target;
      // Parents and targets stand in front.
      removed_[i] = label == gone || (target != 0 && removed_[target]) ||
                    (parent != kMain && removed_[parent] && !(keep_body && parent == gone));
      if (!removed_[i]) add(label, removed_[parent] ? parent_[parent] : parent, target);
    }
    return program_;
  }

 private:
  void add(Label label, Label parent, Label target) {
    Action action = from_[label];
    action.target = new_label_[target];
    new_label_[label] = program_.add(new_label_[parent], action);
  }

  const Program& from_;
  Program program_;
  std::array<Label, kMaxActions> parent_{};
  std::array<bool, kMaxActions> removed_{};
  std::array<Label, kMaxActions> new_label_{};
};

}  // namespace

std::vector<Program> reductions(const Program& program, const Shape& shape) {
  std::vector<Program> found;
  for (size_t i = 1; i < program.size(); ++i)
    found.push_back(Copy(program).without(static_cast<Label>(i), false));
  for (size_t i = 1; i < program.size(); ++i) {
    const Action& action = program[static_cast<Label>(i)];
    if (action.first != 0) found.push_back(Copy(program).without(static_cast<Label>(i), true));
    if (action.count > 1) {
      found.push_back(program);
      --found.back()[static_cast<Label>(i)].count;
    }
    if (is_timer(action.verb) && action.ms > shape.slots) {
      found.push_back(program);
      found.back()[static_cast<Label>(i)].ms = static_cast<uint16_t>(1 + (action.ms - 1) % shape.slots);
    }
  }
  return found;
}

Expected<Finding> shrink(const Finding& finding, const Shape& shape, const Judges& judges, unsigned tries,
                         unsigned rounds_most) {
  Finding least = finding;
  for (unsigned round = 0; round < rounds_most; ++round) {
    std::vector<Program> candidates;
    for (const Program& candidate : reductions(least.program, shape))
      candidates.insert(candidates.end(), tries, candidate);
    auto judged = judges(candidates);
    if (!judged) return std::unexpected(judged.error());
    const Finding* next = nullptr;
    for (const auto& each : *judged) {
      if (!each || each->refusal.rule != finding.refusal.rule) continue;
      if (next == nullptr || each->program.size() < next->program.size()) next = &*each;
    }
    if (next == nullptr) break;
    least = *next;
  }
  return least;
}

}  // namespace tickmark::programs
