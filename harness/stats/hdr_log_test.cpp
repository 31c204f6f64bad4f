#include "harness/stats/hdr_log.h"

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>
#include <vector>
#include <zlib.h>

#include "harness/base/random.h"
#include "harness/stats/base64.h"
#include "harness/stats/hdr_codec.h"

namespace tickmark::stats {
namespace {

// Written by other implementations: the C library's own test histogram (10,000 x 1,000 and 1 x 100,000,000),
// a Histogram(1, 300, 3) of 100, 200, 250, and the stream that Java and C write alike for 2,048.
constexpr std::string_view kForeignStandard =
    "HISTFAAAACl4nJNpmSzMwMBgyAABzFCaEURcm7yEwf4DROA8/4I5jNM7mJgAlWkH9g==";
constexpr std::string_view kForeignThree = "HISTFAAAACV4nJNpmSzMwMDAwQABzFCaEUrp2H+AsI4zMh1lZEpkAgBdIQSk";
constexpr std::string_view kForeignBoundary = "HISTFAAAACB4nJNpmSzMwMDAzAABMJoRQnEw2H+AsP7LMwEARZgDpQ==";

// As Java's HistogramLogWriter prints it (NoSQLBench's documentation), an empty interval; and one of jHiccup
// (HdrHistogram's tagged-non-monotonic.hlog), which counts in units of 16,384 ns.
constexpr std::string_view kForeignLog =
    "#logging histograms for session testing extention histostatslogger\n"
    "#[Histogram log format version 1.3]\n"
    "#[StartTime: 1479149958.287 (seconds since epoch), Mon Nov 14 12:59:18 CST 2016]\n"
    "\"StartTimestamp\",\"Interval_Length\",\"Interval_Max\",\"Interval_Compressed_Histogram\"\n"
    "Tag=csvmetrics.cycles,0.003,0.503,0.000,HISTFAAAABl42pNpmSzMwMDAyIAKYHwm+w9QFgA8ewJ6\n"
    "Tag=B,0.127,1.007,2.769,HISTFAAAAEV42pNpmSzMwMCgyAABTBDKT4GBgdnNYMcCBvsPEBEJISEuATEZMQ4uASkh"
    "IR4nrxg9v2lMaxhvMekILGZkKmcCAEf2CsI=\n";

Histogram sample(uint64_t seed, size_t n) {
  SplitMix64 random(seed);
  Histogram h;
  for (size_t i = 0; i < n; ++i) h.record(Nanos{std::llround(std::exp(random.uniform() * std::log(100e9)))});
  return h;
}

void expect_same_counts(const Histogram& a, const Histogram& b) {
  ASSERT_EQ(a.layout(), b.layout());
  EXPECT_TRUE(std::ranges::equal(a.counts(), b.counts()));
}

std::vector<uint8_t> inflated(std::string_view base64) {
  const std::vector<uint8_t> bytes = *base64_decode(base64);
  std::vector<uint8_t> out(1 << 20);
  uLongf size = out.size();
  EXPECT_EQ(uncompress(out.data(), &size, bytes.data() + 8, bytes.size() - 8), Z_OK);
  out.resize(size);
  return out;
}

/// A Base64 text around any payload, honest or not.
std::string wrapped(const std::vector<uint8_t>& payload) {
  uLongf size = compressBound(payload.size());
  std::vector<uint8_t> bytes(8 + size);
  EXPECT_EQ(compress(bytes.data() + 8, &size, payload.data(), payload.size()), Z_OK);
  bytes.resize(8 + size);
  const uint8_t head[8] = {
      0x1c, 0x84, 0x93, 0x14, 0, 0, static_cast<uint8_t>(size >> 8), static_cast<uint8_t>(size)};
  std::copy(head, head + 8, bytes.begin());
  return base64_encode(bytes);
}

void expect_refused(std::string_view base64, std::string_view reason) {
  const auto result = decode_hdr(base64);
  ASSERT_FALSE(result) << "expected: " << reason;
  EXPECT_NE(result.error().message.find(reason), std::string::npos) << result.error().message;
}

TEST(HdrCodec, reads_what_other_implementations_wrote) {
  const auto standard = decode_hdr(kForeignStandard);
  ASSERT_TRUE(standard) << standard.error().message;
  EXPECT_EQ(standard->count(), 10'001u);
  EXPECT_EQ(standard->counts()[standard->layout().index_of(1'000)], 10'000u);
  EXPECT_EQ(standard->counts()[standard->layout().index_of(100'000'000)], 1u);
  const auto three = decode_hdr(kForeignThree);
  ASSERT_TRUE(three) << three.error().message;
  EXPECT_EQ(three->count(), 3u);
  for (uint64_t v : {100, 200, 250}) EXPECT_EQ(three->counts()[v], 1u);
  const auto boundary = decode_hdr(kForeignBoundary);
  ASSERT_TRUE(boundary) << boundary.error().message;
  EXPECT_EQ(boundary->min(), Nanos{2048});
}

TEST(HdrCodec, writes_the_bytes_other_implementations_write) {
  for (std::string_view foreign : {kForeignThree, kForeignBoundary}) {
    std::vector<uint8_t> theirs = inflated(foreign);
    std::vector<uint8_t> ours = encode_hdr_payload(*decode_hdr(foreign));
    // The announced highest value may differ: ours is the end of the last octave.
    std::fill(theirs.begin() + 24, theirs.begin() + 32, 0);
    std::fill(ours.begin() + 24, ours.begin() + 32, 0);
    EXPECT_EQ(ours, theirs);
  }
}

TEST(HdrCodec, round_trip_keeps_every_count) {
  Histogram h = sample(1, 100'000);
  h.record(1us, INT64_MAX / 2);  // needs the ninth byte
  h.record(Nanos::max());
  const auto back = decode_hdr(encode_hdr(h));
  ASSERT_TRUE(back) << back.error().message;
  expect_same_counts(h, *back);
  const auto empty = decode_hdr(encode_hdr(Histogram{}));
  ASSERT_TRUE(empty) << empty.error().message;
  expect_same_counts(Histogram{}, *empty);
}

TEST(HdrCodec, refuses_every_truncation_and_garbage) {
  const std::string good = encode_hdr(sample(2, 1'000));
  for (size_t n = 0; n < good.size(); ++n) ASSERT_FALSE(decode_hdr(std::string_view(good).substr(0, n))) << n;
  expect_refused("HIST!!!!", "not Base64");
  expect_refused("", "cut off");
  expect_refused("AAAAAAAAAAAAAAAA", "not a compressed HdrHistogram");
  std::vector<uint8_t> longer = *base64_decode(good);
  longer.push_back(0);
  expect_refused(base64_encode(longer), "length");
  std::string flipped = good;
  flipped[good.size() / 2] = flipped[good.size() / 2] == 'A' ? 'B' : 'A';
  EXPECT_FALSE(decode_hdr(flipped));  // zlib's checksum
}

TEST(HdrCodec, refuses_impossible_payloads) {
  const std::vector<uint8_t> good = encode_hdr_payload(sample(3, 100));
  const auto with = [&](size_t at, std::vector<uint8_t> bytes) {
    std::vector<uint8_t> bad = good;
    std::copy(bytes.begin(), bytes.end(), bad.begin() + static_cast<ptrdiff_t>(at));
    return wrapped(bad);
  };
  ASSERT_TRUE(decode_hdr(with(0, {})));
  expect_refused(with(3, {0x01}), "version");
  expect_refused(with(4, {0x7f}), "more counts than buckets");
  expect_refused(with(6, {0, 1}), "another length");
  expect_refused(with(11, {1}), "shifted");
  expect_refused(with(15, {6}), "significant digits");
  expect_refused(with(15, {5}), "2^20 buckets");
  expect_refused(with(23, {2}), "shifted");
  expect_refused(with(24, {0xff}), "highest");
  expect_refused(with(32, {0}), "scaled");
}

TEST(HdrCodec, refuses_a_stream_without_its_checksum) {
  std::vector<uint8_t> bytes = *base64_decode(encode_hdr(sample(3, 100)));
  bytes.resize(bytes.size() - 4);
  bytes[6] = static_cast<uint8_t>((bytes.size() - 8) >> 8);
  bytes[7] = static_cast<uint8_t>(bytes.size() - 8);
  expect_refused(base64_encode(bytes), "cut off");
}

TEST(HdrCodec, refuses_counts_that_leave_the_histogram) {
  const auto payload = [](std::vector<uint8_t> numbers) {
    std::vector<uint8_t> bytes = encode_hdr_payload(Histogram{});
    bytes.resize(40);
    bytes[7] = static_cast<uint8_t>(numbers.size());
    bytes.insert(bytes.end(), numbers.begin(), numbers.end());
    return wrapped(bytes);
  };
  ASSERT_TRUE(decode_hdr(payload({2})));
  expect_refused(payload({0x80}), "cut off");
  expect_refused(payload({0xff, 0xff, 0xff, 0xff, 0x0f}), "leaves the histogram");  // -2^31-ish
  expect_refused(payload({255, 255, 255, 255, 255, 255, 255, 255, 255}), "leaves the histogram");  // -2^63
  expect_refused(payload({254, 255, 255, 255, 255, 255, 255, 255, 255, 2}), "add up");  // 2^63-1, then 1
  const std::vector<uint8_t> all_zeros = {0xff, 0xbf, 0x03};                            // -28672
  ASSERT_TRUE(decode_hdr(payload(all_zeros)));
  expect_refused(payload({0xff, 0xbf, 0x03, 2}), "more counts");
}

TEST(HdrLog, round_trip_keeps_tags_times_and_counts) {
  const Histogram first = sample(4, 5'000);
  const Histogram second = sample(5, 7);
  const std::string tag = "reference_loop:backend=io_uring,pool=8 100% sure";
  const std::string log = hdr_log_header("tickmark test", Nanos{1'700'000'000'250'000'000}) +
                          hdr_log_line(tag, 1500ms, 3s, first) + hdr_log_line("", 5s, 1s, second);
  EXPECT_NE(log.find("#[StartTime: 1700000000.250 (seconds since epoch), 2023-11-14T22:13:20Z]\n"), log.npos);
  HdrLogReader reader(log);
  auto entry = reader.next();
  ASSERT_TRUE(entry && *entry);
  EXPECT_EQ((*entry)->tag, tag);
  EXPECT_EQ((*entry)->start, Nanos{1500ms});
  EXPECT_EQ((*entry)->length, Nanos{3s});
  expect_same_counts((*entry)->histogram, first);
  EXPECT_NEAR(seconds(*reader.start_since_epoch()), 1'700'000'000.25, 1e-6);
  entry = reader.next();
  ASSERT_TRUE(entry && *entry);
  EXPECT_EQ((*entry)->tag, "");
  expect_same_counts((*entry)->histogram, second);
  entry = reader.next();
  ASSERT_TRUE(entry);
  EXPECT_FALSE(*entry);
  EXPECT_FALSE(reader.dropped_incomplete_line());
}

TEST(HdrLog, a_tag_never_breaks_its_line) {
  const std::string line = hdr_log_line("a,b c\nd", 0s, 1s, Histogram{});
  EXPECT_TRUE(line.starts_with("Tag=a%2Cb%20c%0Ad,0.000,1.000,0.000,HISTFAAA")) << line;
  EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1);
}

TEST(HdrLog, reads_a_log_written_by_java_and_says_what_it_cannot_hold) {
  HdrLogReader reader(kForeignLog);
  const auto a = reader.next();
  ASSERT_TRUE(a && *a) << (a ? "" : a.error().message);
  EXPECT_EQ((*a)->tag, "csvmetrics.cycles");
  EXPECT_EQ((*a)->start, Nanos{3ms});
  EXPECT_EQ((*a)->length, Nanos{503ms});
  EXPECT_TRUE((*a)->histogram.empty());
  EXPECT_NEAR(seconds(*reader.start_since_epoch()), 1479149958.287, 1e-6);
  const auto b = reader.next();
  ASSERT_FALSE(b);
  EXPECT_NE(b.error().message.find("line 6: histogram payload: shifted"), std::string::npos)
      << b.error().message;
}

TEST(HdrLog, names_the_bad_line_and_goes_on) {
  const std::string log = hdr_log_header("x", 0s) + "1.0,2.0,nonsense\n" + "1.0,2.0,3.0,HISTgarbage\n" +
                          hdr_log_line("ok", 1s, 1s, sample(6, 10));
  HdrLogReader reader(log);
  auto entry = reader.next();
  ASSERT_FALSE(entry);
  EXPECT_NE(entry.error().message.find("line 5"), std::string::npos) << entry.error().message;
  ASSERT_FALSE(reader.next());
  entry = reader.next();
  ASSERT_TRUE(entry && *entry);
  EXPECT_EQ((*entry)->tag, "ok");
}

TEST(HdrLog, drops_an_incomplete_last_line_and_says_so) {
  std::string log = hdr_log_line("a", 0s, 1s, sample(7, 10)) + hdr_log_line("b", 1s, 1s, sample(8, 10));
  log.pop_back();
  HdrLogReader reader(log);
  ASSERT_TRUE(*reader.next());
  const auto end = reader.next();
  ASSERT_TRUE(end);
  EXPECT_FALSE(*end);
  EXPECT_TRUE(reader.dropped_incomplete_line());
}

TEST(HdrLog, survives_seeded_mutations) {
  const std::string good = hdr_log_header("x", 0s) + hdr_log_line("t", 1s, 1s, sample(9, 200));
  SplitMix64 random(99);
  for (int round = 0; round < 3'000; ++round) {
    std::string bad = good;
    for (uint64_t i = random.below(4) + 1; i > 0; --i)
      bad[random.below(bad.size())] = static_cast<char>(random.next());
    HdrLogReader reader(bad);
    for (int lines = 0; lines < 100; ++lines) {
      const auto entry = reader.next();
      if (entry && !*entry) break;
    }
  }
}

TEST(HdrPercentileTable, ends_at_the_maximum_and_never_decreases) {
  Histogram h;
  for (int i = 1; i <= 100; ++i) h.record(Nanos{i * 1'000'000});
  const std::string table = hdr_percentile_table(h);
  EXPECT_TRUE(
      table.starts_with("       Value     Percentile TotalCount 1/(1-Percentile)\n\n"
                        "       1.000 0.000000000000          1           1.00\n"))
      << table;
  EXPECT_NE(table.find("     100.000 1.000000000000        100\n#[Mean    =       50.500"), table.npos)
      << table;
  EXPECT_NE(table.find("#[Buckets =           27, SubBuckets     =         2048]\n"), table.npos) << table;
  EXPECT_NE(table.find(" 0.500000000000         50           2.00\n"), table.npos) << table;
}

TEST(Base64, knows_the_vectors_of_rfc_4648) {
  const std::pair<std::string, std::string> vectors[] = {{"", ""},
                                                         {"f", "Zg=="},
                                                         {"fo", "Zm8="},
                                                         {"foo", "Zm9v"},
                                                         {"foob", "Zm9vYg=="},
                                                         {"fooba", "Zm9vYmE="},
                                                         {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, text] : vectors) {
    const std::vector<uint8_t> bytes(plain.begin(), plain.end());
    EXPECT_EQ(base64_encode(bytes), text);
    EXPECT_EQ(base64_decode(text), bytes);
  }
  for (std::string_view bad : {"Zg=", "Zg", "Z===", "=Zg=", "Zg==Zg==", "Z g="})
    EXPECT_FALSE(base64_decode(bad)) << bad;
}

}  // namespace
}  // namespace tickmark::stats
