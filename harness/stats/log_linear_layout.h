#pragma once
// How a value finds its bucket: linear inside an octave, logarithmic between octaves. This is exactly
// the count array of HdrHistogram (Gil Tene, hdrhistogram.org) with lowest discernible value 1, so that
// a log in its format carries our counts bucket by bucket.

#include <bit>
#include <cstddef>
#include <cstdint>

namespace tickmark::stats {

/// 2^precision_bits buckets per octave: relative width of a bucket <= 2^-precision_bits. Values below
/// 2^(precision_bits + 1) have a bucket each (exact). Largest value: 2^range_bits - 1.
struct LogLinearLayout {
  uint8_t precision_bits = 10;  ///< HdrHistogram's 3 significant digits: 1/1024 = 0.0977 %
  uint8_t range_bits = 37;      ///< 2^37 - 1 ns = 137.4 s

  bool operator==(const LogLinearLayout&) const = default;

  /// True for layouts this code can hold: range_bits in (precision_bits, 62], precision_bits <= 17.
  constexpr bool valid() const {
    return precision_bits <= 17 && range_bits > precision_bits && range_bits <= 62;
  }

  constexpr uint64_t max_value() const { return (uint64_t{1} << range_bits) - 1; }
  constexpr double relative_error() const { return 1.0 / static_cast<double>(uint64_t{1} << precision_bits); }
  constexpr size_t bucket_count() const {
    return (static_cast<size_t>(range_bits - precision_bits) + 1) << precision_bits;
  }

  /// The bucket of `value` <= max_value(): one bit scan, one shift, one add.
  constexpr size_t index_of(uint64_t value) const {
    const uint64_t unit_mask = (uint64_t{2} << precision_bits) - 1;
    const unsigned octave = static_cast<unsigned>(std::bit_width(value | unit_mask)) - precision_bits - 1;
    return (static_cast<size_t>(octave) << precision_bits) + static_cast<size_t>(value >> octave);
  }

  /// The smallest and the largest value that share bucket `index` < bucket_count().
  constexpr uint64_t lowest_at(size_t index) const {
    const size_t octave = octave_of(index);
    return static_cast<uint64_t>(index - (octave << precision_bits)) << octave;
  }
  constexpr uint64_t highest_at(size_t index) const {
    return lowest_at(index) + (uint64_t{1} << octave_of(index)) - 1;
  }

 private:
  constexpr size_t octave_of(size_t index) const {
    const size_t half = index >> precision_bits;
    return half <= 1 ? 0 : half - 1;
  }
};

}  // namespace tickmark::stats
