#pragma once
// A plan is what will be done, fixed before the first trial: it decides every rate, order and seed, so
// that nothing can be chosen after looking at a result. Same inputs, same plan, bit for bit.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "harness/base/error.h"
#include "harness/base/time.h"
#include "harness/load/load.h"
#include "harness/output/json_access.h"
#include "harness/run/suite.h"
#include "harness/vocabulary/service.h"
#include "harness/vocabulary/workload.h"

namespace tickmark::run {

using output::Json;

/// A subject as the plan records it; filled by whoever knows the registry.
struct PlannedSubject {
  std::string id;  ///< `name[@version][:key=value,...]`
  std::string name, title, says, colour;
  bool available = true;
  std::string reason;   ///< why not, if not available
  std::string install;  ///< the command that would install it
  std::string caveat;
  std::map<std::string, std::string> versions;
  Parameters options;
  std::vector<std::string> workloads;
};

struct PlannedLane {
  std::string name;
  std::string variant;
  int connections = 1;
  load::Arrivals arrivals = load::Arrivals::kClosed;
  double rate_per_s = 0;  ///< open loop only
};

struct SkippedSubject {
  std::string subject;
  std::string reason;
};

struct PlannedCell {
  std::string id;  ///< workload[/variant]/open|closed|storm/connections[/<percent of capacity> |
                   ///< /r<rate>][/param=value]
  std::string workload, variant;
  load::Scenario scenario = load::Scenario::kOrderly;
  bool open_loop = true;
  int connections = 1;    ///< of the main lane
  double rate_per_s = 0;  ///< of the main lane; open loop only
  std::optional<double> capacity_share;
  Placement placement = Placement::kIsolated;
  int blocks = 1;
  Nanos warmup{0}, duration{0};
  Parameters params;  ///< of the workload, defaults filled in
  std::vector<PlannedLane> lanes;
  std::vector<std::string> subjects;  ///< ids
  std::vector<SkippedSubject> skipped;
  bool together = false;               ///< see CellTemplate
  std::map<std::string, double> gate;  ///< likewise
};

struct PlannedTrial {
  int trial = 0;
  int block = 0;
  std::string cell;
  std::string subject;
  uint64_t seed = 0;  ///< one per block and cell: all subjects of a block get the same arrivals
};

/// Capacities of the reference subject: closed-loop throughput per key (see calibration_key).
struct Calibration {
  std::string subject;  ///< id
  std::string note;     ///< why it is not the suite's reference subject, if it is not
  std::map<std::string, double> capacity_per_s;
};

/// What a user changed about the suite.
struct Overrides {
  std::vector<std::string> workloads;  ///< empty: all of the suite
  std::optional<int> connections;      ///< of main lanes
  std::optional<double> rate_per_s;    ///< replaces every ladder of rates by this one
  std::optional<int> blocks;
  std::optional<Nanos> duration;
  std::string reference_subject;  ///< empty: the suite's
};

struct PlanInput {
  Suite suite;
  std::vector<PlannedSubject> subjects;  ///< all that were selected, the unavailable ones too
  std::vector<WorkloadSpec> workloads;   ///< of the registry
  Overrides overrides;
  uint64_t seed = 1;
  Calibration calibration;
  bool rates_later = false;  ///< --dry-run measures nothing: rates stay 0, and the plan cannot be executed
  std::string command;       ///< repeats this run
  std::string created_utc;
  Json tool;         ///< name, version, git, build_type, compiler
  Json conformance;  ///< plan.json's `conformance`; null: none
  Json gate;         ///< plan.json's `gate`; null: none. Its `rerun_rule` becomes the plan's
};

struct Plan {
  Json tool;
  std::string suite;
  uint64_t seed = 1;
  std::string created_utc, command, reference_subject;
  int blocks = 1;                   ///< the largest of its cells
  double estimated_measured_s = 0;  ///< calibration and trials
  Calibration calibration;
  std::vector<PlannedSubject> subjects;
  std::vector<WorkloadSpec> workloads;
  std::vector<PlannedCell> cells;
  std::vector<PlannedTrial> schedule;
  std::string rerun_rule;   ///< what happens to void blocks; fixed here, before any result
  std::string warmup_rule;  ///< when it is made longer; likewise
  Json conformance;
  Json gate;  ///< of a comparison: when it is judged and by what (docs/bundle.md)

  const PlannedCell* cell(const std::string& id) const;
  const PlannedSubject* subject(const std::string& id) const;
};

/// Unrecorded start of each calibration trial.
inline constexpr Nanos kCalibrationWarmup = 200ms;

/// What must be calibrated before make_plan can turn shares into rates.
struct CalibrationNeed {
  std::string key;
  std::string workload, variant;
  int connections = 1;
  Placement placement = Placement::kIsolated;
  Nanos duration{0};
  Parameters params;
};

/// The suite after the overrides; refuses a restriction that leaves nothing, or names an unknown workload.
Expected<Suite> apply_overrides(Suite suite, const Overrides& overrides,
                                const std::vector<WorkloadSpec>& workloads);

/// Each capacity that the (overridden) suite refers to, once.
std::vector<CalibrationNeed> calibration_needs(const Suite& suite,
                                               const std::vector<WorkloadSpec>& workloads);

/// The suite's reference subject if it is selected and available, else the first available one.
/// Error (environment) if none is available.
Expected<std::string> choose_reference(const Suite& suite, const std::vector<PlannedSubject>& subjects);

/// The plan. `input.suite` is taken as it is in the file; overrides are applied here. Open-loop cells whose
/// capacity was not calibrated are an error. Subjects that are unavailable or do not speak a workload stand
/// in each cell's `skipped` with the reason.
Expected<Plan> make_plan(const PlanInput& input);

/// Seconds one trial of this cell takes on the wall, from start to teardown (see plan_estimate.cpp).
double estimated_trial_s(const PlannedCell& cell);
double estimated_calibration_s(const CalibrationNeed& need);

/// plan.json. The hash is computed here, over the document with an empty hash.
Json plan_to_json(const Plan& plan);
/// Reads what plan_to_json wrote, checks the hash and every cross reference.
Expected<Plan> plan_from_json(const Json& document);

/// A few lines for `--dry-run` and the start of a run: cells, trials, seconds.
std::string plan_text(const Plan& plan);

}  // namespace tickmark::run
