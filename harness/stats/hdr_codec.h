#pragma once
// The binary form of a histogram in the HdrHistogram world ("V2"), so that other people's tools read
// what we measured: Java's HistogramLogProcessor, HdrHistogram_c, hdr-plot.
//
// Facts from HdrHistogram_c, src/hdr_histogram_log.c and hdr_encoding.c, and HdrHistogram (Java),
// AbstractHistogram.encodeIntoByteBuffer and ZigZagEncoding. All integers big-endian:
//   compressed: u32 0x1c849314, i32 length, zlib stream of `length` bytes, which inflates to
//   payload:    u32 0x1c849313, i32 bytes of counts, i32 normalizing offset, i32 significant digits,
//               i64 lowest discernible value, i64 highest trackable value, f64 conversion ratio, counts
//   counts:     from bucket 0 to the last one used, each ZigZag LEB128 of at most 9 bytes (the ninth
//               carries 8 bits); a negative number -k stands for k empty buckets.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/error.h"
#include "harness/stats/histogram.h"

namespace tickmark::stats {

/// The payload before compression. The layout must be one HdrHistogram has: precision_bits of
/// 1 to 5 significant digits (4, 7, 10, 14, 17); asserts.
std::vector<uint8_t> encode_hdr_payload(const Histogram& histogram);

/// The payload compressed and in Base64, as it stands in a log line ("HISTFAAA...").
std::string encode_hdr(const Histogram& histogram);

/// Reads what any HdrHistogram V2 writer wrote. Counts are exact; min, max and sum are those of
/// Histogram::from_counts. Refuses, with one sentence: text that is no Base64, other versions, damaged or
/// truncated data, shifted or scaled histograms (lowest value other than 1, normalizing offset,
/// conversion ratio), more than 2^20 buckets, totals beyond 2^63. Memory: below 20 MiB whatever the input
/// says.
Expected<Histogram> decode_hdr(std::string_view base64);

}  // namespace tickmark::stats
