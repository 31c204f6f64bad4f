#pragma once
// A set of labels in a word.

#include <bit>
#include <cstdint>

#include "conformance/programs/program.h"

namespace tickmark::programs {

class LabelSet {
 public:
  constexpr LabelSet() = default;

  constexpr bool has(Label label) const { return (bits_ >> label & 1) != 0; }
  constexpr bool empty() const { return bits_ == 0; }
  constexpr void add(Label label) { bits_ |= uint64_t{1} << label; }
  constexpr void remove(Label label) { bits_ &= ~(uint64_t{1} << label); }
  constexpr void clear() { bits_ = 0; }

  constexpr LabelSet operator|(LabelSet other) const { return LabelSet(bits_ | other.bits_); }
  constexpr LabelSet operator&(LabelSet other) const { return LabelSet(bits_ & other.bits_); }
  constexpr LabelSet without(LabelSet other) const { return LabelSet(bits_ & ~other.bits_); }
  constexpr bool operator==(const LabelSet&) const = default;

  /// In ascending order.
  template <typename Visit>
  void each(Visit&& visit) const {
    for (uint64_t left = bits_; left != 0; left &= left - 1)
      visit(static_cast<Label>(std::countr_zero(left)));
  }
  /// The label with the least `key(label)`; the set is not empty.
  template <typename Key>
  Label least(Key&& key) const {
    Label best = static_cast<Label>(std::countr_zero(bits_));
    each([&](Label label) {
      if (key(label) < key(best)) best = label;
    });
    return best;
  }

 private:
  constexpr explicit LabelSet(uint64_t bits) : bits_(bits) {}

  uint64_t bits_ = 0;
};

}  // namespace tickmark::programs
