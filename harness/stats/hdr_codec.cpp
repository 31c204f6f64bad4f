#include "harness/stats/hdr_codec.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cassert>
#include <fmt/core.h>
#include <optional>
#include <span>
#include <zlib.h>

#include "harness/stats/base64.h"

namespace tickmark::stats {

namespace {

constexpr uint32_t kPayloadCookie = 0x1c849303 | 0x10;
constexpr uint32_t kCompressedCookie = 0x1c849304 | 0x10;
constexpr size_t kPayloadHeaderBytes = 40;
constexpr size_t kCompressedHeaderBytes = 8;
constexpr size_t kMaxCountBytes = 9;
constexpr size_t kMaxBuckets = size_t{1} << 20;
constexpr uint64_t kMaxTotal = INT64_MAX;  // Java's and C's counters are signed

/// precision_bits for 0..5 significant digits: half of the power of two that is >= 2 * 10^digits.
constexpr std::array<uint8_t, 6> kPrecisionBits = {0, 4, 7, 10, 14, 17};

template <typename T>
void put_big_endian(std::vector<uint8_t>& out, T value) {
  for (int shift = static_cast<int>(sizeof(T)) * 8 - 8; shift >= 0; shift -= 8) {
    out.push_back(static_cast<uint8_t>(value >> shift));
  }
}

template <typename T>
T get_big_endian(std::span<const uint8_t> in, size_t at) {
  T value = 0;
  for (size_t i = 0; i < sizeof(T); ++i) value = static_cast<T>(value << 8 | in[at + i]);
  return value;
}

void put_zigzag(std::vector<uint8_t>& out, int64_t value) {
  uint64_t rest = static_cast<uint64_t>(value) << 1 ^ static_cast<uint64_t>(value >> 63);
  for (size_t i = 1; rest > 0x7f && i < kMaxCountBytes; ++i) {
    out.push_back(static_cast<uint8_t>(rest) | 0x80);
    rest >>= 7;
  }
  out.push_back(static_cast<uint8_t>(rest));
}

/// Takes one number off the front of `in`; nothing if it is cut off.
std::optional<int64_t> take_zigzag(std::span<const uint8_t>& in) {
  uint64_t value = 0;
  for (size_t i = 0; i < kMaxCountBytes; ++i) {
    if (i >= in.size()) return std::nullopt;
    const uint64_t byte = in[i];
    const bool last = i + 1 == kMaxCountBytes || byte < 0x80;
    value |= (i + 1 == kMaxCountBytes ? byte : byte & 0x7f) << (7 * i);
    if (!last) continue;
    in = in.subspan(i + 1);
    break;
  }
  return static_cast<int64_t>(value >> 1 ^ (~(value & 1) + 1));
}

std::unexpected<Error> damaged(std::string_view what) {
  return usage_error(fmt::format(
      "histogram payload: {}; expected HdrHistogram V2, so write the log again or drop this line", what));
}

/// The counts of a payload as buckets; refuses more than `layout` holds.
Expected<Histogram> decode_counts(LogLinearLayout layout, std::span<const uint8_t> in) {
  std::vector<uint64_t> counts(layout.bucket_count(), 0);
  size_t index = 0;
  uint64_t total = 0;
  while (!in.empty()) {
    const std::optional<int64_t> number = take_zigzag(in);
    if (!number) return damaged("a count is cut off");
    const uint64_t room = counts.size() - index;
    if (*number < 0) {
      const uint64_t zeros = ~static_cast<uint64_t>(*number) + 1;
      if (zeros > room) return damaged("a run of empty buckets leaves the histogram");
      index += static_cast<size_t>(zeros);
      continue;
    }
    if (room == 0) return damaged("more counts than the histogram has buckets");
    const uint64_t count = static_cast<uint64_t>(*number);
    if (count > kMaxTotal - total) return damaged("the counts add up to more than 2^63");
    counts[index++] = count;
    total += count;
  }
  return Histogram::from_counts(layout, counts);
}

/// The layout that a payload header announces.
Expected<LogLinearLayout> decode_layout(std::span<const uint8_t> header) {
  if (get_big_endian<uint32_t>(header, 0) != kPayloadCookie) return damaged("unknown encoding version");
  const auto offset = get_big_endian<uint32_t>(header, 8);
  const auto digits = get_big_endian<uint32_t>(header, 12);
  const auto lowest = get_big_endian<uint64_t>(header, 16);
  const auto highest = get_big_endian<uint64_t>(header, 24);
  const auto ratio = std::bit_cast<double>(get_big_endian<uint64_t>(header, 32));
  if (offset != 0 || lowest != 1 || ratio != 1.0) return damaged("shifted or scaled values");
  if (digits >= kPrecisionBits.size()) return damaged("more than 5 significant digits");
  if (highest < 2 || highest > INT64_MAX) return damaged("impossible highest value");
  LogLinearLayout layout;
  layout.precision_bits = kPrecisionBits[digits];
  // Java announces Long.MAX_VALUE for "any value": 62 bits of nanoseconds are 146 years.
  const int bits = std::clamp(static_cast<int>(std::bit_width(highest)), layout.precision_bits + 1, 62);
  layout.range_bits = static_cast<uint8_t>(bits);
  if (layout.bucket_count() > kMaxBuckets) return damaged("more than 2^20 buckets");
  return layout;
}

/// An inflating zlib stream that ends with its scope.
class Inflater {
 public:
  explicit Inflater(std::span<const uint8_t> in) {
    stream_.next_in =
        const_cast<uint8_t*>(in.data());  // zlib never writes there; its C interface lacks const
    stream_.avail_in = static_cast<uInt>(in.size());
    ready_ = inflateInit(&stream_) == Z_OK;
  }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
  ~Inflater() {
    if (ready_) inflateEnd(&stream_);
  }

  /// Fills `out` as far as the stream reaches and returns how far, nothing on damaged data.
  std::optional<size_t> read(std::span<uint8_t> out) {
    stream_.next_out = out.data();
    stream_.avail_out = static_cast<uInt>(out.size());
    if (!ready_) return std::nullopt;
    const int status = ended_ ? Z_STREAM_END : inflate(&stream_, Z_SYNC_FLUSH);
    ended_ = status == Z_STREAM_END;
    if (status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR) return std::nullopt;
    return out.size() - stream_.avail_out;
  }

  /// The stream was whole, and its checksum right.
  bool ended() const { return ended_; }

 private:
  z_stream stream_{};
  bool ready_ = false;
  bool ended_ = false;
};

Expected<Histogram> decode_payload(std::span<const uint8_t> compressed) {
  Inflater inflater(compressed);
  std::array<uint8_t, kPayloadHeaderBytes> header{};
  if (inflater.read(header) != kPayloadHeaderBytes)
    return damaged("the compressed data is damaged or cut off");
  const Expected<LogLinearLayout> layout = decode_layout(header);
  if (!layout) return std::unexpected(layout.error());
  const size_t count_bytes = get_big_endian<uint32_t>(header, 4);
  if (count_bytes > kMaxCountBytes * layout->bucket_count())
    return damaged("more counts than buckets announced");
  std::vector<uint8_t> counts(count_bytes + 1);  // one more, to see whether the stream ends where it says
  const size_t got = inflater.read(counts).value_or(SIZE_MAX);
  // Early HdrHistogram_c announced the header's 40 bytes as well; such logs are about, and are whole.
  const bool whole = got == count_bytes || got + kPayloadHeaderBytes == count_bytes;
  if (!whole || !inflater.ended()) {
    return damaged("the compressed data is damaged, cut off, or of another length than announced");
  }
  return decode_counts(*layout, std::span(counts).first(got));
}

}  // namespace

std::vector<uint8_t> encode_hdr_payload(const Histogram& histogram) {
  const LogLinearLayout layout = histogram.layout();
  const auto digits = std::find(kPrecisionBits.begin() + 1, kPrecisionBits.end(), layout.precision_bits);
  assert(digits != kPrecisionBits.end());
  const std::span<const uint64_t> counts = histogram.counts();
  size_t used = histogram.empty() ? 1 : layout.index_of(static_cast<uint64_t>(histogram.max()->count())) + 1;

  std::vector<uint8_t> numbers;
  for (size_t i = 0; i < used;) {
    size_t end = i;
    while (end < used && counts[end] == 0) ++end;
    const size_t zeros = end - i;
    if (zeros > 1) {
      put_zigzag(numbers, -static_cast<int64_t>(zeros));
      i = end;
    } else {
      put_zigzag(numbers, static_cast<int64_t>(counts[i++]));
    }
  }

  std::vector<uint8_t> payload;
  payload.reserve(kPayloadHeaderBytes + numbers.size());
  put_big_endian(payload, kPayloadCookie);
  put_big_endian(payload, static_cast<uint32_t>(numbers.size()));
  put_big_endian(payload, uint32_t{0});
  put_big_endian(payload, static_cast<uint32_t>(digits - kPrecisionBits.begin()));
  put_big_endian(payload, uint64_t{1});
  put_big_endian(payload, layout.max_value());
  put_big_endian(payload, std::bit_cast<uint64_t>(1.0));
  payload.insert(payload.end(), numbers.begin(), numbers.end());
  return payload;
}

std::string encode_hdr(const Histogram& histogram) {
  const std::vector<uint8_t> payload = encode_hdr_payload(histogram);
  uLongf size = compressBound(payload.size());
  std::vector<uint8_t> compressed(size);
  const int status = compress(compressed.data(), &size, payload.data(), payload.size());
  assert(status == Z_OK);  // the bound is zlib's own
  compressed.resize(size);
  std::vector<uint8_t> whole;
  put_big_endian(whole, kCompressedCookie);
  put_big_endian(whole, static_cast<uint32_t>(size));
  whole.insert(whole.end(), compressed.begin(), compressed.end());
  return base64_encode(whole);
}

Expected<Histogram> decode_hdr(std::string_view base64) {
  // The largest honest text: every bucket nine incompressible bytes.
  if (base64.size() > 2 * kMaxCountBytes * kMaxBuckets) return damaged("absurdly long");
  const auto bytes = base64_decode(base64);
  if (!bytes) return damaged("not Base64");
  if (bytes->size() < kCompressedHeaderBytes) return damaged("cut off");
  if (get_big_endian<uint32_t>(*bytes, 0) != kCompressedCookie) {
    return damaged("not a compressed HdrHistogram of version 2");
  }
  if (get_big_endian<uint32_t>(*bytes, 4) != bytes->size() - kCompressedHeaderBytes) {
    return damaged("its length is not the announced one");
  }
  return decode_payload(std::span(*bytes).subspan(kCompressedHeaderBytes));
}

}  // namespace tickmark::stats
