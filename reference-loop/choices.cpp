#include "reference-loop/choices.h"

#include <algorithm>
#include <cassert>

namespace refloop {

std::size_t Choices::pick(std::size_t options) {
  assert(options > 0 && "nothing to pick from");
  return options == 1 ? 0 : answer({Question::Kind::pick, options});
}

bool Choices::chance(unsigned permille) {
  if (permille == 0) return false;
  return permille >= 1000 || answer({Question::Kind::chance, permille}) != 0;
}

Nanos Choices::between(Nanos least, Nanos most) {
  if (least >= most) return least;
  const auto width = static_cast<std::uint64_t>((most - least).count());
  return least + Nanos{static_cast<std::int64_t>(answer({Question::Kind::between, width}))};
}

// splitmix64: passes the usual batteries, and its whole state is the seed.
std::uint64_t SeededChoices::below(std::uint64_t limit) {
  state_ += 0x9e3779b97f4a7c15;
  std::uint64_t mixed = state_;
  mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
  mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
  mixed ^= mixed >> 31;
  // The high half of the product: no division, and a bias of limit / 2^64.
  return static_cast<std::uint64_t>(static_cast<unsigned __int128>(mixed) * limit >> 64);
}

std::uint64_t SeededChoices::answer(const Question& question) {
  switch (question.kind) {
    case Question::Kind::pick:
      return below(question.limit);
    case Question::Kind::chance:
      return below(1000) < question.limit ? 1 : 0;
    case Question::Kind::between:
      return below(question.limit + 1);
  }
  return 0;
}

std::uint64_t RecordingChoices::answer(const Question& question) {
  return answers_.emplace_back(inner_.answer(question));
}

std::uint64_t ReplayedChoices::answer(const Question& question) {
  if (next_ == answers_.size()) return 0;
  const std::uint64_t kept = answers_[next_++];
  switch (question.kind) {
    case Question::Kind::pick:
      return kept % question.limit;
    case Question::Kind::chance:
      return kept == 0 ? 0 : 1;
    case Question::Kind::between:
      return std::min(kept, question.limit);
  }
  return 0;
}

bool Explorer::next() {
  // The deepest question that has an answer left gets it; what was asked after it will be asked anew.
  while (!path_.empty() && path_.back().taken + 1 == path_.back().options) path_.pop_back();
  if (path_.empty() && runs_ > 0) return false;
  if (!path_.empty()) ++path_.back().taken;
  depth_ = 0;
  ++runs_;
  return true;
}

std::uint64_t Explorer::answer(const Question& question) {
  const bool is_range = question.kind == Question::Kind::between;
  const std::uint64_t options = question.kind == Question::Kind::pick ? question.limit : 2;
  if (depth_ == path_.size()) path_.push_back({0, options, is_range ? question.limit : 0});
  const Branch& branch = path_[depth_++];
  assert(branch.options == options && "the program did something else although the answers were the same");
  return answer_of(branch);
}

std::uint64_t Explorer::answer_of(const Branch& branch) {
  return branch.width > 0 ? branch.taken * branch.width : branch.taken;
}

Answers Explorer::answers() const {
  Answers answers(depth_);
  std::transform(path_.begin(), path_.begin() + static_cast<std::ptrdiff_t>(depth_), answers.begin(),
                 answer_of);
  return answers;
}

}  // namespace refloop
