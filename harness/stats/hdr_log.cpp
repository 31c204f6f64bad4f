#include "harness/stats/hdr_log.h"

#include <algorithm>
#include <cassert>
#include <charconv>
#include <cmath>
#include <fmt/core.h>
#include <iterator>
#include <time.h>
#include <utility>

#include "harness/stats/hdr_codec.h"

namespace tickmark::stats {

namespace {

constexpr std::string_view kStartTime = "#[StartTime: ";
constexpr double kMaxSeconds = 9e9;  // what Nanos holds, with a margin

bool needs_escape(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte <= ' ' || byte == 0x7f || c == ',' || c == '%';
}

std::string escape_tag(std::string_view tag) {
  std::string out;
  for (char c : tag) {
    if (needs_escape(c)) {
      fmt::format_to(std::back_inserter(out), "%{:02X}", static_cast<unsigned char>(c));
    } else {
      out += c;
    }
  }
  return out;
}

/// Undoes escape_tag, and leaves alone what escape_tag would never have written: foreign tags may hold '%'.
std::string unescape_tag(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    unsigned value = 0;
    if (text[i] == '%' && i + 2 < text.size() &&
        std::from_chars(text.data() + i + 1, text.data() + i + 3, value, 16).ptr == text.data() + i + 3 &&
        needs_escape(static_cast<char>(value))) {
      out += static_cast<char>(value);
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

/// Cuts `text` at the first `separator`: the part before it, and the rest after it.
std::string_view take_until(std::string_view& text, char separator) {
  const size_t at = text.find(separator);
  const std::string_view head = text.substr(0, at);
  text = at == std::string_view::npos ? std::string_view{} : text.substr(at + 1);
  return head;
}

std::optional<Nanos> parse_seconds(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  if (!(std::abs(value) < kMaxSeconds)) return std::nullopt;
  return Nanos{std::llround(value * 1e9)};
}

/// `line` is neither empty nor a comment nor the legend.
Expected<HdrLogEntry> parse_entry(std::string_view line) {
  HdrLogEntry entry;
  if (line.starts_with("Tag=")) entry.tag = unescape_tag(take_until(line, ',').substr(4));
  const auto start = parse_seconds(take_until(line, ','));
  const auto length = parse_seconds(take_until(line, ','));
  const auto max = parse_seconds(take_until(line, ','));
  if (!start || !length || !max) return usage_error("start, length and maximum must be numbers");
  Expected<Histogram> histogram = decode_hdr(line);
  if (!histogram) return std::unexpected(histogram.error());
  entry.start = *start;
  entry.length = *length;
  entry.histogram = std::move(*histogram);
  return entry;
}

double standard_deviation_ns(const Histogram& histogram) {
  const double mean = *histogram.mean_ns();
  const LogLinearLayout& layout = histogram.layout();
  double squares = 0;
  for (size_t i = 0; i < histogram.counts().size(); ++i) {
    if (histogram.counts()[i] == 0) continue;
    const double low = static_cast<double>(layout.lowest_at(i));
    const double middle = low + (static_cast<double>(layout.highest_at(i)) - low) / 2;
    squares += static_cast<double>(histogram.counts()[i]) * (middle - mean) * (middle - mean);
  }
  return std::sqrt(squares / static_cast<double>(histogram.count()));
}

}  // namespace

std::string hdr_log_header(std::string_view comment, Nanos start_since_epoch) {
  assert(comment.find_first_of("\r\n") == std::string_view::npos);
  const time_t epoch_seconds = std::chrono::floor<std::chrono::seconds>(start_since_epoch).count();
  tm utc{};
  gmtime_r(&epoch_seconds, &utc);
  char date[64];
  strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%SZ", &utc);
  return fmt::format(
      "#[{}]\n#[Histogram log format version 1.3]\n{}{:.3f} (seconds since epoch), {}]\n"
      "\"StartTimestamp\",\"Interval_Length\",\"Interval_Max\",\"Interval_Compressed_Histogram\"\n",
      comment, kStartTime, seconds(start_since_epoch), date);
}

std::string hdr_log_line(std::string_view tag, Nanos start, Nanos length, const Histogram& histogram) {
  const std::string tag_field = tag.empty() ? "" : "Tag=" + escape_tag(tag) + ",";
  const double max_ms = static_cast<double>(histogram.max().value_or(Nanos{0}).count()) / 1e6;
  return fmt::format("{}{:.3f},{:.3f},{:.3f},{}\n", tag_field, seconds(start), seconds(length), max_ms,
                     encode_hdr(histogram));
}

Expected<std::optional<HdrLogEntry>> HdrLogReader::next() {
  while (!rest_.empty()) {
    if (rest_.find('\n') == std::string_view::npos) {
      dropped_incomplete_line_ = true;
      rest_ = {};
      break;
    }
    std::string_view line = take_until(rest_, '\n');
    ++line_number_;
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.starts_with(kStartTime)) {
      std::string_view time = line.substr(kStartTime.size());
      start_since_epoch_ = parse_seconds(take_until(time, ' '));
    }
    if (line.empty() || line.front() == '#' || line.front() == '"') continue;
    Expected<HdrLogEntry> entry = parse_entry(line);
    if (!entry) {
      return usage_error(fmt::format("histogram log, line {}: {}", line_number_, entry.error().message));
    }
    return std::optional(std::move(*entry));
  }
  return std::nullopt;
}

std::string hdr_percentile_table(const Histogram& histogram, Nanos unit, int ticks_per_half) {
  assert(unit.count() > 0 && ticks_per_half > 0);
  std::string out =
      fmt::format("{:>12} {:>14} {:>10} {:>14}\n\n", "Value", "Percentile", "TotalCount", "1/(1-Percentile)");
  if (histogram.empty()) return out;
  const double scale = static_cast<double>(unit.count());
  const double n = static_cast<double>(histogram.count());
  const LogLinearLayout& layout = histogram.layout();
  const auto value_at = [&](size_t i) {
    const Nanos top{static_cast<int64_t>(layout.highest_at(i))};
    return static_cast<double>(std::min(top, *histogram.max()).count()) / scale;
  };

  uint64_t cumulative = 0;
  double percent = 0;  // that the next line reports; in percent, as Java counts, so that ties round alike
  for (size_t i = 0; cumulative < histogram.count(); ++i) {
    const uint64_t here = histogram.counts()[i];
    cumulative += here;
    while (here > 0 && 100 * static_cast<double>(cumulative) / n >= percent) {
      const double rest = 100 - percent;
      fmt::format_to(std::back_inserter(out), "{:12.3f} {:2.12f} {:10} {:14.2f}\n", value_at(i),
                     percent / 100, cumulative, 100 / rest);
      const double halvings = std::floor(std::log2(100 / rest)) + 1;
      percent += 100 / (ticks_per_half * std::exp2(halvings));
      if (cumulative == histogram.count()) break;  // the last bucket closes the table with 100 %
    }
  }
  const double max = static_cast<double>(histogram.max()->count()) / scale;
  fmt::format_to(std::back_inserter(out), "{:12.3f} {:2.12f} {:10}\n", max, 1.0, histogram.count());
  fmt::format_to(
      std::back_inserter(out),
      "#[Mean    = {:12.3f}, StdDeviation   = {:12.3f}]\n#[Max     = {:12.3f}, Total count    = {:12}]\n"
      "#[Buckets = {:12}, SubBuckets     = {:12}]\n",
      *histogram.mean_ns() / scale, standard_deviation_ns(histogram) / scale, max, histogram.count(),
      layout.range_bits - layout.precision_bits, uint64_t{2} << layout.precision_bits);
  return out;
}

}  // namespace tickmark::stats
