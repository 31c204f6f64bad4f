#pragma once
// A suite is data: suites/<name>.yaml lists templates of cells. Adding a suite is adding a file; this is
// its vocabulary and its loader. Rates stand as shares of a capacity that is only known after calibration.

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "harness/base/error.h"
#include "harness/base/time.h"
#include "harness/load/load.h"
#include "harness/vocabulary/service.h"
#include "harness/vocabulary/workload.h"

namespace tickmark::run {

/// A lane beside the main one, at a fixed rate for every subject (the light probes of the cpu workload).
struct LaneTemplate {
  std::string name;
  std::string variant;
  int connections = 1;
  double rate_per_s = 1;
  load::Arrivals arrivals = load::Arrivals::kPoisson;
};

/// One or, with several shares, many cells.
struct CellTemplate {
  std::string workload;
  std::string variant;  ///< "" = the workload's first
  load::Scenario scenario = load::Scenario::kOrderly;
  bool open_loop = true;
  int connections = 1;                  ///< of the main lane
  std::vector<double> capacity_shares;  ///< open loop: rates as shares of the reference subject's capacity
  std::optional<double> rate_per_s;     ///< open loop: one fixed rate instead of shares
  std::string capacity_of;              ///< variant whose capacity counts; "" = this cell's own
  load::Arrivals arrivals = load::Arrivals::kPoisson;  ///< open loop
  std::optional<Placement> placement;                  ///< absent: the workload's default
  int blocks = 1;
  Nanos warmup{0};
  Nanos duration{0};
  Parameters params;
  bool together = false;  ///< open loop: all subjects of a block at the same time, each at the cell's rate
  std::vector<LaneTemplate> beside;    ///< non-empty: the main lane is called `heavy`
  std::map<std::string, double> gate;  ///< metrics that `tickmark compare` decides by; the slowdown (a share)
                                       ///< from which each matters
};

struct Suite {
  std::string name;
  std::string says;                   ///< what it is for, one sentence
  std::string reference_subject;      ///< against which ratios are taken
  std::vector<std::string> subjects;  ///< whom it asks where the user names nobody; empty: every subject
  Nanos calibration_duration{0};      ///< window of each calibration trial
  int conformance_repeat = 1;
  std::vector<std::string> conformance_rules;  ///< rules or folders of rules; empty: the whole catalogue
  int conformance_background_connections = 0;  ///< 0: no pass beside a live workload
  std::vector<CellTemplate> cells;
};

/// Reads `folder`/`name`.yaml. Unknown keys, impossible numbers and unknown suites are errors that name
/// the file and the line.
Expected<Suite> load_suite(const std::filesystem::path& folder, const std::string& name);

/// Names of the suites in `folder`, sorted.
std::vector<std::string> suite_names(const std::filesystem::path& folder);

}  // namespace tickmark::run
