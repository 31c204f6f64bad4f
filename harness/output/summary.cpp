#include "harness/output/summary.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "harness/output/analysis.h"

namespace tickmark::output {
namespace {

struct Column {
  const char* title;
  const char* metric;
};

constexpr int64_t kMemoryConnectionsMin = 1000;

/// What a cell is read for: latency in the open loop, throughput in the closed one, cost in both.
std::vector<Column> columns_of(const Json& cell) {
  std::vector<Column> columns;
  if (text_at(cell, "loop") == "closed") {
    columns.push_back({"throughput", "throughput_per_s"});
    columns.push_back({"p50", "latency_ns_p50"});
  } else {
    columns.push_back({"p50", "latency_ns_p50"});
    columns.push_back({"p99", "latency_ns_p99"});
  }
  columns.push_back({"CPU/request", "cpu_ns_per_request"});
  // Memory comes in pages: over a few connections it says nothing about one.
  if (integer_at(cell, "connections").value_or(0) >= kMemoryConnectionsMin) {
    columns.push_back({"memory/connection", "memory_bytes_per_connection"});
  }
  return columns;
}

using Key = std::tuple<std::string, std::string, std::string>;  // cell, metric, subject

std::map<Key, const Json*> index_of(const Json& analysis) {
  std::map<Key, const Json*> index;
  for (const Json& c : list_at(analysis, "comparisons")) {
    index[{text_at(c, "cell"), text_at(c, "metric"), text_at(c, "subject")}] = &c;
  }
  return index;
}

std::string estimate_text(const Json& c) {
  const auto estimate = number_at(c, "estimate");
  if (!estimate) return "void";
  std::string text = metric_text(*estimate, text_at(c, "unit"));
  const auto low = number_at(c, "low"), high = number_at(c, "high");
  if (low && high && *estimate > 0) text += fmt::format(" ±{:.0f} %", (*high - *low) / 2 / *estimate * 100);
  return text;
}

/// Pads by what is seen: "±" is two bytes and one column.
std::string padded(const std::string& text, size_t columns) {
  const auto seen = static_cast<size_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
  return text + std::string(seen < columns ? columns - seen : 1, ' ');
}

std::string title_of(const Json& cell) {
  std::string title =
      fmt::format("{}: {} connections", text_at(cell, "id"), integer_at(cell, "connections").value_or(0));
  if (const auto rate = number_at(cell, "rate_per_s"))
    title += fmt::format(", {} offered", metric_text(*rate, "1/s"));
  title += fmt::format(", {} blocks of {} ms, {}", integer_at(cell, "blocks").value_or(0),
                       integer_at(cell, "duration_ns").value_or(0) / 1'000'000, text_at(cell, "placement"));
  return title;
}

/// Trials of a storm have no times worth a table: how many were never served is the result.
std::string storm_table(const Bundle& bundle, const Json& cell) {
  std::map<std::string, std::vector<int64_t>> starved;
  for (const Json& trial : bundle.trials) {
    if (text_at(trial, "cell") != text_at(cell, "id")) continue;
    for (const Json& lane : list_at(trial, "lanes")) {
      if (const auto n = integer_at(lane, "connections_never_served"))
        starved[text_at(trial, "subject")].push_back(*n);
    }
  }
  std::string text;
  for (const auto& [subject, counts] : starved) {
    text += fmt::format("  {}never served:", padded(subject, 24));
    for (const int64_t n : counts) text += fmt::format(" {}", n);
    text += "\n";
  }
  return text;
}

std::string cell_table(const Bundle& bundle, const Json& cell, const std::map<Key, const Json*>& index) {
  const std::string id = text_at(cell, "id");
  const auto columns = columns_of(cell);
  std::string text = "  " + padded("", 24);
  for (const Column& column : columns) text += padded(column.title, 20);
  text += fmt::format("CPU/request vs {}\n", text_at(bundle.plan, "reference_subject"));
  for (const Json& name : list_at(cell, "subjects")) {
    if (!name.is_string()) continue;
    const auto subject = name.get<std::string>();
    std::string line = "  " + padded(subject, 24);
    bool any = false;
    for (const Column& column : columns) {
      const auto found = index.find({id, column.metric, subject});
      any |= found != index.end();
      line += padded(found == index.end() ? "-" : estimate_text(*found->second), 20);
    }
    const auto cost = index.find({id, "cpu_ns_per_request", subject});
    if (cost != index.end() && subject != text_at(bundle.plan, "reference_subject"))
      line += ratio_text(*cost->second);
    if (any) text += line + "\n";
  }
  return text;
}

/// "reference_loop used less CPU per request than node (2.9x [2.7, 3.1]); not distinguishable from libuv."
std::string sentence(const Bundle& bundle, const Json& cell, const std::map<Key, const Json*>& index) {
  const std::string reference = text_at(bundle.plan, "reference_subject");
  std::string more, less, same;
  auto add = [](std::string& list, const std::string& item) { list += (list.empty() ? "" : ", ") + item; };
  for (const Json& name : list_at(cell, "subjects")) {
    if (!name.is_string() || name == reference) continue;
    const auto found = index.find({text_at(cell, "id"), "cpu_ns_per_request", name.get<std::string>()});
    if (found == index.end() || !number_at(*found->second, "ratio_low")) continue;
    const Json& c = *found->second;
    if (!flag_at(c, "distinguishable").value_or(false)) {
      add(same, name.get<std::string>());
    } else if (number_at(c, "ratio").value_or(1) > 1) {
      add(more, fmt::format("{} {}", name.get<std::string>(), ratio_text(c)));
    } else {
      add(less, fmt::format("{} {}", name.get<std::string>(), ratio_text(c)));
    }
  }
  std::string text;
  if (!more.empty()) text += fmt::format("  More CPU per request than {}: {}.\n", reference, more);
  if (!less.empty()) text += fmt::format("  Less CPU per request than {}: {}.\n", reference, less);
  if (!same.empty())
    text += fmt::format("  Not distinguishable from {} in CPU per request: {}.\n", reference, same);
  return text;
}

/// Numbers differ from trial to trial; what stands before the first digit tells the kind.
std::string kind_of(const std::string& reason) {
  return reason.substr(0, reason.find_first_of("0123456789"));
}

/// How often a family of metrics was void, and how often for which reason; "" if it never was.
std::string void_line(const Bundle& bundle, const std::set<std::string>& storms, const char* family,
                      const char* title) {
  int voided = 0, judged = 0;
  std::map<std::string, int> reasons;
  for (const Json& trial : bundle.trials) {
    const std::string status = text_at(trial, "status");
    if (status != "ok" && status != "saturated") continue;
    const Json& entry = member(member(trial, "validity"), family);
    const auto valid = flag_at(entry, "valid");
    if (!valid || storms.contains(text_at(trial, "cell"))) continue;
    ++judged;
    if (*valid) continue;
    ++voided;
    for (const Json& reason : list_at(entry, "reasons")) {
      if (!reason.is_string()) continue;
      ++reasons[kind_of(reason.get<std::string>())];
      break;
    }
  }
  if (voided == 0) return "";
  std::string text = fmt::format("{} is void in {} of {} measured trials:", title, voided, judged);
  for (const auto& [reason, n] : reasons) text += fmt::format(" \"{}...\" ({});", reason, n);
  text.back() = '.';
  return text + "\n";
}

/// Per family how often which reason voided it; then the trials that came to nothing.
std::string validity_notes(const Bundle& bundle) {
  std::set<std::string> storms;  // their times are void by nature, which needs no complaint
  for (const Json& cell : list_at(bundle.plan, "cells")) {
    if (text_at(cell, "scenario") == "storm") storms.insert(text_at(cell, "id"));
  }
  std::string text;
  constexpr std::pair<const char*, const char*> kFamilies[] = {
      {"latency", "Latency"}, {"throughput", "Throughput"}, {"cpu", "CPU per request"}, {"memory", "Memory"}};
  for (const auto& [family, title] : kFamilies) text += void_line(bundle, storms, family, title);
  std::map<std::string, int> by_status;
  for (const Json& trial : bundle.trials) {
    const std::string status = text_at(trial, "status");
    if (status == "ok" || status == "saturated") continue;
    ++by_status[fmt::format("{} {} in {}: {}", text_at(trial, "subject"), status, text_at(trial, "cell"),
                            text_at(trial, "reason"))];
  }
  constexpr int kShown = 10;
  int shown = 0;
  for (const auto& [what, n] : by_status) {
    if (shown++ == kShown) {
      text += fmt::format("... and {} more\n", by_status.size() - kShown);
      break;
    }
    text += fmt::format("{}{}\n", what, n > 1 ? fmt::format(" ({} trials)", n) : "");
  }
  return text;
}

/// What breaks a rule and is not on the subject's list of expectations, as its ids.
std::string new_violations(const std::vector<std::string>& rules) {
  constexpr std::size_t kShown = 5;
  if (rules.empty()) return "";
  const auto shown = std::span(rules).first(std::min(kShown, rules.size()));
  const std::size_t more = rules.size() - shown.size();
  return fmt::format("; not expected: {}{}", fmt::join(shown, ", "),
                     more > 0 ? fmt::format(" and {} more", more) : "");
}

/// Per subject the verdicts, passed ones first: "Ordering: node: 212 pass, 1 crash (known), 11 inapplicable".
std::string conformance_lines(const Bundle& bundle) {
  struct Judged {
    int passed = 0;
    std::map<std::string, int> others;
    std::vector<std::string> not_expected;
  };
  std::map<std::string, Judged> subjects;
  for (const Json& v : bundle.verdicts) {
    Judged& judged = subjects[text_at(v, "subject")];
    const std::string verdict = text_at(v, "verdict"), level = text_at(v, "level");
    const bool is_known = !text_at(v, "known").empty();
    verdict == "pass" ? ++judged.passed : ++judged.others[verdict + (is_known ? " (known)" : "")];
    const bool is_violation = verdict == "fail" || verdict == "hang" || verdict == "crash";
    const bool is_required = level == "must" || level == "should";
    if (is_violation && is_required && !is_known) judged.not_expected.push_back(text_at(v, "rule"));
  }
  std::string text;
  for (const auto& [subject, judged] : subjects) {
    text += fmt::format("Ordering: {}: {} pass", subject, judged.passed);
    for (const auto& [verdict, n] : judged.others) text += fmt::format(", {} {}", n, verdict);
    text += new_violations(judged.not_expected) + "\n";
  }
  return text;
}

}  // namespace

std::string metric_text(double value, std::string_view unit) {
  const double size = std::abs(value);
  if (unit == "ns") {
    if (size >= 1e9) return fmt::format("{:.2f} s", value / 1e9);
    if (size >= 1e6) return fmt::format("{:.2f} ms", value / 1e6);
    return fmt::format("{:.2f} us", value / 1e3);
  }
  if (unit == "1/s")
    return size >= 1e4 ? fmt::format("{:.1f} k/s", value / 1e3) : fmt::format("{:.0f}/s", value);
  if (unit == "bytes") {
    if (size >= 1024.0 * 1024) return fmt::format("{:.1f} MiB", value / (1024 * 1024));
    return size >= 1024 ? fmt::format("{:.1f} KiB", value / 1024) : fmt::format("{:.0f} B", value);
  }
  return fmt::format("{:.3g}", value);
}

std::string summary_text(const Bundle& bundle, const SummaryOptions& options) {
  const auto index = index_of(bundle.analysis);
  const char* bold = options.colour ? "\x1b[1m" : "";
  const char* plain = options.colour ? "\x1b[0m" : "";
  std::string text;
  if (bundle.status() != "complete") {
    text += fmt::format("{}This run is {}: {} of {} trials were kept.{}\n\n", bold, bundle.status(),
                        bundle.trials.size(), list_at(bundle.plan, "schedule").size(), plain);
  }
  for (const Json& cell : list_at(bundle.plan, "cells")) {
    text += fmt::format("{}{}{}\n", bold, title_of(cell), plain);
    text +=
        text_at(cell, "scenario") == "storm" ? storm_table(bundle, cell) : cell_table(bundle, cell, index);
    text += sentence(bundle, cell, index) + "\n";
  }
  for (const Json& subject : list_at(bundle.plan, "subjects")) {
    if (flag_at(subject, "available").value_or(true)) continue;
    text += fmt::format("Skipped: {} - {}\n", text_at(subject, "id"), text_at(subject, "reason"));
  }
  text += validity_notes(bundle);
  text += conformance_lines(bundle);
  for (const std::string& note : bundle.notes) text += fmt::format("Note: {}\n", note);
  text += fmt::format("Bundle  {}\nRedo    tickmark run --plan {}\n", bundle.folder.string(),
                      (bundle.folder / "plan.json").string());
  return text;
}

}  // namespace tickmark::output
