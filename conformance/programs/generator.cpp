#include "conformance/programs/generator.h"

#include <algorithm>

#include "harness/base/random.h"

namespace tickmark::programs {
namespace {

struct Weight {
  Verb verb;
  unsigned weight;
};

// Of a hundred actions.
constexpr std::array kWeights{
    Weight{Verb::tick, 14},    Weight{Verb::microtask, 8},    Weight{Verb::then, 7},
    Weight{Verb::await, 5},    Weight{Verb::async_return, 4}, Weight{Verb::thenable, 3},
    Weight{Verb::timeout, 16}, Weight{Verb::interval, 3},     Weight{Verb::immediate, 14},
    Weight{Verb::fs, 6},       Weight{Verb::crypto, 3},       Weight{Verb::close, 4},
    Weight{Verb::clear, 5},    Weight{Verb::refresh, 3},      Weight{Verb::unref, 2},
    Weight{Verb::block, 3}};

constexpr unsigned kTotalWeight = [] {
  unsigned total = 0;
  for (const Weight& each : kWeights) total += each.weight;
  return total;
}();

constexpr unsigned kRanks = 4;
constexpr unsigned kDepthMax = 6;
constexpr unsigned kFailPermille = 150;  // of the callbacks of a program that throws
// Past a timeout's duration, so that it is overdue by any clock.
constexpr unsigned kBlockMarginMs = 3;

class Drawing {
 public:
  Drawing(uint64_t seed, uint64_t index, const Shape& shape, unsigned slot)
      : random_(SplitMix64(seed).next() ^ (index * 0x9E3779B97F4A7C15ULL)), shape_(shape), slot_(slot) {
    program_.id = index;
  }

  Program draw() {
    const unsigned actions = shape_.actions_min + below(shape_.actions_max - shape_.actions_min + 1);
    const bool throws = below(1000) < shape_.throwing_permille;
    closes_ = shape_.closes && (shape_.throwing_closes || !throws);
    while (program_.size() <= actions) add(draw_parent());
    if (throws) add_throws();
    return program_;
  }

 private:
  unsigned below(unsigned bound) { return static_cast<unsigned>(random_.below(bound)); }

  Verb draw_verb() {
    unsigned left = below(kTotalWeight);
    for (const Weight& each : kWeights) {
      if (left < each.weight) return each.verb;
      left -= each.weight;
    }
    return Verb::tick;
  }

  // Main more often than others: what starts there runs against each other.
  Label draw_parent() {
    if (parents_ == 0 || below(100) < 30) return kMain;
    for (int attempt = 0; attempt < 4; ++attempt) {
      const Label parent = parent_of_[below(parents_)];
      if (depth_[parent] < kDepthMax) return parent;
    }
    return kMain;
  }

  void add(Label parent) {
    Action action{.verb = draw_verb()};
    const auto rank = [&] { return std::min(below(kRanks), below(kRanks)); };
    switch (action.verb) {
      case Verb::then:
        action.count = static_cast<uint8_t>(1 + below(3));
        break;
      case Verb::interval:
        action.count = static_cast<uint8_t>(1 + below(3));
        [[fallthrough]];
      case Verb::timeout:
        action.ms = duration_ms(shape_, slot_, rank());
        break;
      case Verb::block:
        if (!shape_.blocks) return;
        action.ms = static_cast<uint16_t>(duration_ms(shape_, slot_, rank()) + kBlockMarginMs);
        break;
      case Verb::close:
        if (!closes_) return;
        break;
      case Verb::clear:
      case Verb::refresh:
      case Verb::unref:
        if (action.verb == Verb::unref && !shape_.unrefs) return;
        action.target = draw_target(action.verb == Verb::clear);
        if (action.target == 0) return;
        break;
      default:
        break;
    }
    const Label label = program_.add(parent, action);
    if (!has_callback(action.verb)) return;
    depth_[label] = static_cast<uint8_t>(depth_[parent] + 1);
    parent_of_[parents_++] = label;
  }

  Label draw_target(bool with_immediates) {
    std::array<Label, kMaxActions> found;
    unsigned count = 0;
    for (unsigned i = 0; i < parents_; ++i) {
      const Verb verb = program_[parent_of_[i]].verb;
      if (is_timer(verb) || (with_immediates && verb == Verb::immediate)) found[count++] = parent_of_[i];
    }
    return count == 0 ? kMain : found[below(count)];
  }

  // Not in close callbacks: a message port's listener throws in a tick of its own (Node, event_target.js).
  void add_throws() {
    for (unsigned i = 0; i < parents_ && program_.size() < kMaxActions; ++i) {
      if (program_[parent_of_[i]].verb == Verb::close) continue;
      if (below(1000) < kFailPermille) program_.add(parent_of_[i], {.verb = Verb::fail});
    }
  }

  SplitMix64 random_;
  const Shape& shape_;
  unsigned slot_;
  bool closes_ = true;
  Program program_;
  unsigned parents_ = 0;
  std::array<Label, kMaxActions> parent_of_{};  // labels of callbacks, which may get a body
  std::array<uint8_t, kMaxActions> depth_{};
};

}  // namespace

uint16_t duration_ms(const Shape& shape, unsigned slot, unsigned rank) {
  return static_cast<uint16_t>(1 + slot + rank * shape.slots);
}

Program in_slot(const Program& program, const Shape& shape, unsigned slot) {
  Program moved = program;
  for (size_t i = 1; i < moved.size(); ++i) {
    Action& action = moved[static_cast<Label>(i)];
    const unsigned margin = action.verb == Verb::block ? kBlockMarginMs : 0;
    if (action.ms <= margin) continue;
    action.ms =
        static_cast<uint16_t>(duration_ms(shape, slot, (action.ms - margin - 1) / shape.slots) + margin);
  }
  return moved;
}

Program generate(uint64_t seed, uint64_t index, const Shape& shape, unsigned slot) {
  return Drawing(seed, index, shape, slot).draw();
}

}  // namespace tickmark::programs
