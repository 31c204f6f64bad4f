#include "harness/output/analysis.h"

#include <cmath>
#include <fmt/format.h>
#include <map>
#include <optional>
#include <string>

#include "harness/output/valid_value.h"
#include "harness/stats/paired.h"

namespace tickmark::output {
namespace {

/// Reply sizes within this share of each other count as equal.
constexpr double kReplySizesEqual = 0.05;

/// Value of a metric per block; only blocks in which it was valid.
using Blocks = std::map<int64_t, double>;

/// Why not one block is valid: the first reason given. Empty if the metric simply does not apply.
std::string why_none(const std::vector<const Json*>& trials, const ComparedMetric& metric) {
  for (const Json* trial : trials) {
    if (auto why = why_no_value(*trial, metric.key, metric.family); !why.empty()) return why;
  }
  return "";
}

Blocks valid_blocks(const std::vector<const Json*>& trials, const ComparedMetric& metric) {
  Blocks blocks;
  for (const Json* trial : trials) {
    const auto value = valid_value(*trial, metric.key, metric.family);
    const auto block = integer_at(*trial, "block");
    if (value && block) blocks[*block] = *value;
  }
  return blocks;
}

std::vector<double> values_of(const Blocks& blocks) {
  std::vector<double> values;
  for (const auto& [block, value] : blocks) values.push_back(value);
  return values;
}

std::string too_few(size_t valid, const char* of_what) {
  return fmt::format("only {} valid {}: no interval", valid, of_what);
}

void add_estimate(Json& comparison, const std::vector<double>& values) {
  const auto estimate = stats::hodges_lehmann(values);
  comparison["median"] = stats::median(values);
  comparison["estimate"] = estimate.value;
  if (estimate.interval) {
    comparison["low"] = estimate.interval->low;
    comparison["high"] = estimate.interval->high;
  } else {
    comparison["note"] = too_few(values.size(), values.size() == 1 ? "block" : "blocks");
  }
}

/// The ratio's keys, from the blocks that are valid for both.
void add_ratio(Json& comparison, const Blocks& reference, const Blocks& candidate) {
  std::vector<double> a, b;
  for (const auto& [block, value] : candidate) {
    const auto other = reference.find(block);
    if (other == reference.end()) continue;
    a.push_back(other->second);
    b.push_back(value);
  }
  comparison["pairs"] = a.size();
  if (a.empty()) {
    comparison["note"] = "no block is valid for both this subject and the reference: no ratio";
    return;
  }
  const auto ratio = stats::paired_ratio(a, b);
  if (!ratio) {
    comparison["note"] = fmt::format("no ratio: {}", ratio.error().message);
    return;
  }
  comparison["ratio"] = ratio->ratio;
  if (ratio->interval) {
    comparison["ratio_low"] = ratio->interval->low;
    comparison["ratio_high"] = ratio->interval->high;
    comparison["distinguishable"] = ratio->distinguishable();
  } else {
    comparison["note"] = too_few(a.size(), a.size() == 1 ? "pair of blocks" : "pairs of blocks");
  }
}

/// How long a subject's replies are, in the middle of its trials.
struct ReplySize {
  double headers = 0, whole = 0;
};

/// Nothing for streams.
std::optional<ReplySize> reply_size(const std::vector<const Json*>& trials) {
  std::vector<double> headers, whole;
  for (const Json* trial : trials) {
    const Json& metrics = member(*trial, "metrics");
    const auto head = number_at(metrics, "header_bytes_per_reply"),
               all = number_at(metrics, "bytes_per_reply");
    if (!counts(*trial) || !head || !all) continue;
    headers.push_back(*head);
    whole.push_back(*all);
  }
  if (whole.empty()) return std::nullopt;
  return ReplySize{stats::median(headers), stats::median(whole)};
}

/// Longer replies cost more whoever sends them: a ratio of costs says so where they differ. Bodies are the
/// same bytes, request by request (the client half checks that); only a mix of requests falls out
/// differently.
void add_reply_sizes(Json& comparison, const std::optional<ReplySize>& reference,
                     const std::optional<ReplySize>& candidate) {
  if (!reference || !candidate || !comparison.contains("ratio")) return;
  const double size = reference->whole + candidate->headers - reference->headers;
  const double ratio = size / reference->whole;
  if (std::abs(ratio - 1) <= kReplySizesEqual) return;
  comparison["bytes_per_reply_ratio"] = ratio;
  const std::string before = text_at(comparison, "note");
  comparison["note"] = fmt::format(
      "{}{}replies of {:.0f} bytes against {:.0f}, more than 5 % apart: part of the ratio is their length",
      before, before.empty() ? "" : "; ", size, reference->whole);
}

using BySubject = std::map<std::string, std::vector<const Json*>>;

void compare_cell(const Json& cell, const BySubject& trials, const std::string& reference,
                  Json& comparisons) {
  for (const ComparedMetric& metric : compared_metrics()) {
    Blocks of_reference;
    std::optional<ReplySize> size_of_reference;
    if (const auto found = trials.find(reference); found != trials.end()) {
      of_reference = valid_blocks(found->second, metric);
      size_of_reference = reply_size(found->second);
    }
    for (const auto& [subject, records] : trials) {
      const Blocks blocks = valid_blocks(records, metric);
      Json comparison = {{"cell", text_at(cell, "id")},
                         {"metric", metric.key},
                         {"unit", metric.unit},
                         {"better", metric.higher_is_better ? "higher" : "lower"},
                         {"subject", subject},
                         {"blocks_valid", blocks.size()},
                         {"blocks_planned", integer_at(cell, "blocks").value_or(0)},
                         {"note", ""}};
      if (blocks.empty()) {
        const std::string why = why_none(records, metric);
        if (why.empty()) continue;
        comparison["note"] = fmt::format("no valid block: {}", why);
      } else {
        add_estimate(comparison, values_of(blocks));
        if (subject != reference) add_ratio(comparison, of_reference, blocks);
        if (metric.compares_cost) add_reply_sizes(comparison, size_of_reference, reply_size(records));
      }
      comparisons.push_back(std::move(comparison));
    }
  }
}

}  // namespace

const std::vector<ComparedMetric>& compared_metrics() {
  static const std::vector<ComparedMetric> metrics = {
      {"throughput_per_s", "1/s", "throughput", true},
      {"latency_ns_p50", "ns", "latency", false},
      {"latency_ns_p90", "ns", "latency", false},
      {"latency_ns_p99", "ns", "latency", false},
      {"latency_ns_p999", "ns", "latency", false},
      {"latency_ns_mean", "ns", "latency", false},
      {"cpu_ns_per_request", "ns", "cpu", false, true},
      {"context_switches_per_request", "", "cpu", false},
      {"memory_bytes", "bytes", "memory", false},
      {"memory_bytes_per_connection", "bytes", "memory", false},
      {"kernel_memory_bytes_per_connection", "bytes", "memory", false},
  };
  return metrics;
}

Json analyse(const Bundle& bundle) {
  std::map<std::string, BySubject> by_cell;
  for (const Json& trial : bundle.trials) {
    by_cell[text_at(trial, "cell")][text_at(trial, "subject")].push_back(&trial);
  }
  const std::string reference = text_at(bundle.plan, "reference_subject");
  Json comparisons = Json::array();
  for (const Json& cell : list_at(bundle.plan, "cells")) {
    const auto found = by_cell.find(text_at(cell, "id"));
    // A storm's result are its counts; the times in it are of the lucky ones.
    const bool storm = text_at(cell, "scenario") == "storm";
    if (found != by_cell.end() && !storm) compare_cell(cell, found->second, reference, comparisons);
  }
  return {{"schema", "tickmark.analysis/1"},
          {"reference_subject", reference},
          {"confidence", 0.95},
          {"method",
           "Hodges-Lehmann over blocks, interval by inverting Wilcoxon's signed-rank test (exact); ratios of "
           "subjects paired by block"},
          {"plan_hash", text_at(bundle.plan, "hash")},
          {"comparisons", std::move(comparisons)}};
}

std::string ratio_text(const Json& comparison) {
  const auto ratio = number_at(comparison, "ratio");
  if (!ratio) return text_at(comparison, "note");
  const auto low = number_at(comparison, "ratio_low"), high = number_at(comparison, "ratio_high");
  if (!low || !high) return fmt::format("{:.2f}x, {}", *ratio, text_at(comparison, "note"));
  std::string number = fmt::format("{:.2f}x [{:.2f}, {:.2f}]", *ratio, *low, *high);
  if (const auto bytes = number_at(comparison, "bytes_per_reply_ratio"))
    number += fmt::format(" with replies {:.2f}x as long", *bytes);
  if (flag_at(comparison, "distinguishable").value_or(false)) return number;
  return fmt::format("not distinguishable ({})", number);
}

}  // namespace tickmark::output
