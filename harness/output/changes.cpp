#include "harness/output/changes.h"

#include <cmath>

namespace tickmark::output {
namespace {

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

Json point_json(const HistoryPoint& point) {
  Json json = {{"utc", point.utc}, {"git", point.git}, {"versions", point.versions}, {"ratio", point.ratio}};
  if (point.interval) {
    json["low"] = point.interval->low;
    json["high"] = point.interval->high;
  }
  return json;
}

Json change_json(const HistorySeries& series, const stats::ChangePoint& change) {
  const HistoryPoint &last = series.points[change.at - 1], &first = series.points[change.at];
  const double share = std::expm1(change.after - change.before);
  return {{"run", change.at},
          {"utc", first.utc},
          {"utc_before", last.utc},
          {"git", first.git},
          {"git_before", last.git},
          {"versions", first.versions},
          {"versions_before", last.versions},
          {"before", std::exp(change.before)},
          {"after", std::exp(change.after)},
          {"change", share},
          {"worse", series.higher_is_better ? share < 0 : share > 0},
          {"p", change.p}};
}

Json series_json(const HistorySeries& series, const stats::ChangeRules& rules) {
  Json json = {{"machine", series.machine}, {"cell", series.cell},
               {"metric", series.metric},   {"better", series.higher_is_better ? "higher" : "lower"},
               {"subject", series.subject}, {"canary", series.canary},
               {"points", Json::array()},   {"changes", Json::array()}};
  std::vector<double> logs;
  for (const HistoryPoint& point : series.points) {
    json["points"].push_back(point_json(point));
    logs.push_back(std::log(point.ratio));
  }
  for (const stats::ChangePoint& change : stats::change_points(logs, rules))
    json["changes"].push_back(change_json(series, change));
  return json;
}

}  // namespace

bool SeriesFilter::takes(const HistorySeries& series) const {
  return contains(series.subject, subject) && contains(series.cell, cell) && contains(series.metric, metric);
}

Json changes_document(const History& history, const SeriesFilter& filter, const stats::ChangeRules& rules) {
  Json json = {{"schema", "tickmark.changes/1"},
               {"runs", history.runs.size()},
               {"rules",
                {{"alpha", rules.alpha},
                 {"permutations", rules.permutations},
                 {"least", rules.least},
                 {"segment_min", stats::kSegmentMin}}},
               {"series", Json::array()},
               {"notes", history.notes}};
  for (const HistorySeries& series : history_series(history)) {
    if (filter.takes(series)) json["series"].push_back(series_json(series, rules));
  }
  return json;
}

}  // namespace tickmark::output
