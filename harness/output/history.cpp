#include "harness/output/history.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <tuple>

#include "harness/output/analysis.h"
#include "harness/output/valid_value.h"

namespace tickmark::output {
namespace {

using Blocks = std::map<int64_t, double>;

const ComparedMetric* compared_metric(const std::string& key) {
  const auto found = std::ranges::find(compared_metrics(), key, &ComparedMetric::key);
  return found == compared_metrics().end() ? nullptr : &*found;
}

Blocks valid_blocks(const Bundle& bundle, const std::string& cell, const std::string& subject,
                    const ComparedMetric& metric) {
  Blocks blocks;
  for (const Json& trial : bundle.trials) {
    if (text_at(trial, "cell") != cell || text_at(trial, "subject") != subject) continue;
    const auto value = valid_value(trial, metric.key, metric.family);
    const auto block = integer_at(trial, "block");
    if (value && block) blocks[*block] = *value;
  }
  return blocks;
}

/// Null where no block is valid for both.
Json ratio_json(const std::string& subject, const ComparedMetric& metric, const Blocks& canary,
                const Blocks& own) {
  std::vector<double> reference, candidate;
  for (const auto& [block, value] : own) {
    const auto other = canary.find(block);
    if (other == canary.end()) continue;
    reference.push_back(other->second);
    candidate.push_back(value);
  }
  const auto ratio = stats::paired_ratio(reference, candidate);
  if (!ratio) return {};
  Json json = {{"subject", subject}, {"metric", metric.key}, {"ratio", ratio->ratio}, {"blocks", ratio->n}};
  if (ratio->interval) {
    json["low"] = ratio->interval->low;
    json["high"] = ratio->interval->high;
  }
  return json;
}

/// By the plan alone; "" where nobody of the cell can be one.
std::string canary_of(const Json& plan, const Json& cell) {
  const Json& subjects = list_at(cell, "subjects");
  const auto planned = [&](const std::string& id) {
    return std::ranges::find(subjects, Json(id)) != subjects.end();
  };
  for (const char* id : kCanaries) {
    if (planned(id)) return id;
  }
  const std::string reference = text_at(plan, "reference_subject");
  return planned(reference) ? reference : "";
}

Json cell_json(const Bundle& bundle, const Json& cell) {
  const std::string id = text_at(cell, "id"), canary = canary_of(bundle.plan, cell);
  Json json = {
      {"cell", id}, {"workload", text_at(cell, "workload")}, {"canary", canary}, {"ratios", Json::array()}};
  // A storm's result are its counts; the times in it are of the lucky ones.
  if (canary.empty() || text_at(cell, "scenario") == "storm") return json;
  for (const char* key : kFollowedMetrics) {
    const ComparedMetric& metric = *compared_metric(key);
    const Blocks of_canary = valid_blocks(bundle, id, canary, metric);
    for (const Json& subject : list_at(cell, "subjects")) {
      if (!subject.is_string() || subject == canary) continue;
      const auto name = subject.get<std::string>();
      Json ratio = ratio_json(name, metric, of_canary, valid_blocks(bundle, id, name, metric));
      if (!ratio.is_null()) json["ratios"].push_back(std::move(ratio));
    }
  }
  return json;
}

/// Equal for runs on machines that may be compared; it says what it is, and no more.
std::string machine_id(const Json& machine) {
  std::string id = fmt::format("{}, {} CPUs", text_at(machine, "cpu_model", "unknown CPU"),
                               integer_at(machine, "cpus_online").value_or(0));
  if (const std::string host = text_at(machine, "hypervisor"); !host.empty()) id += ", " + host;
  return id;
}

Json versions_json(const Json& plan) {
  Json versions = Json::object();
  for (const Json& subject : list_at(plan, "subjects")) {
    if (flag_at(subject, "available").value_or(false))
      versions[text_at(subject, "id")] = member(subject, "versions");
  }
  return versions;
}

std::string versions_text(const Json& run, const std::string& subject) {
  std::string text;
  const Json& versions = member(member(run, "versions"), subject);
  if (!versions.is_object()) return text;
  for (const auto& [name, version] : versions.items()) {
    if (version.is_string())
      text += fmt::format("{}{} {}", text.empty() ? "" : ", ", name, version.get<std::string>());
  }
  return text;
}

std::optional<HistoryPoint> point_of(const Json& run, const Json& ratio) {
  HistoryPoint point;
  const auto value = number_at(ratio, "ratio");
  if (!value || *value <= 0) return std::nullopt;
  point.utc = text_at(run, "utc");
  point.git = text_at(member(run, "tool"), "git");
  point.versions = versions_text(run, text_at(ratio, "subject"));
  point.ratio = *value;
  const auto low = number_at(ratio, "low"), high = number_at(ratio, "high");
  if (low && high && *low <= *high) point.interval = {*low, *high};
  return point;
}

}  // namespace

Expected<Json> history_record(const Bundle& bundle) {
  const auto refuse = [](const std::string& why) {
    return usage_error(fmt::format("this run was not added to the history: {}", why));
  };
  if (bundle.status() != "complete") return refuse(fmt::format("it is {}", bundle.status()));
  if (!flag_at(bundle.machine, "comparable").value_or(false))
    return refuse("this machine or build must not be compared, see 'tickmark doctor'");
  Json record = {
      {"schema", std::string(kHistorySchema) + "/1"}, {"utc", text_at(bundle.plan, "created_utc")},
      {"suite", text_at(bundle.plan, "suite")},       {"plan_hash", text_at(bundle.plan, "hash")},
      {"command", text_at(bundle.plan, "command")},   {"tool", member(bundle.plan, "tool")},
      {"machine", machine_id(bundle.machine)},        {"kernel", text_at(bundle.machine, "kernel")},
      {"versions", versions_json(bundle.plan)},       {"cells", Json::array()}};
  for (const Json& cell : list_at(bundle.plan, "cells")) {
    Json line = cell_json(bundle, cell);
    if (!line["ratios"].empty()) record["cells"].push_back(std::move(line));
  }
  if (!record["cells"].empty()) return record;
  return refuse(fmt::format("no block is valid for a subject and a canary; run {} or {} beside the others",
                            kCanaries[0], kCanaries[1]));
}

std::vector<HistorySeries> history_series(const History& history) {
  using Key = std::tuple<std::string, std::string, std::string, std::string, std::string>;
  std::map<Key, HistorySeries> found;
  for (const Json& run : history.runs) {
    const std::string machine = text_at(run, "machine");
    for (const Json& cell : list_at(run, "cells")) {
      const std::string id = text_at(cell, "cell"), canary = text_at(cell, "canary");
      for (const Json& ratio : list_at(cell, "ratios")) {
        const std::string metric = text_at(ratio, "metric"), subject = text_at(ratio, "subject");
        const ComparedMetric* known = compared_metric(metric);
        auto point = point_of(run, ratio);
        if (known == nullptr || !point) continue;
        HistorySeries& series = found[{machine, id, metric, subject, canary}];
        series = {machine, id, metric, subject, canary, known->higher_is_better, std::move(series.points)};
        series.points.push_back(std::move(*point));
      }
    }
  }
  std::vector<HistorySeries> all;
  for (auto& [key, series] : found) all.push_back(std::move(series));
  return all;
}

}  // namespace tickmark::output
