#pragma once
// What a history has come to: its series with their change points, as one document. The command line prints
// it, the chart draws it, and neither computes anything of its own.

#include <string>

#include "harness/output/history.h"
#include "harness/stats/change_points.h"

namespace tickmark::output {

/// Parts of names; empty: all.
struct SeriesFilter {
  std::string subject, cell, metric;

  bool takes(const HistorySeries& series) const;
};

/// tickmark.changes/1 (docs/history.md).
Json changes_document(const History& history, const SeriesFilter& filter,
                      const stats::ChangeRules& rules = {});

}  // namespace tickmark::output
