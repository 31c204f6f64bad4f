// What a trial costs on the wall. The constants were measured on the two-core virtual machine the quick
// suite is budgeted for; an estimate may err, the plan never does: it names its trials, not its seconds.

#include <algorithm>

#include "harness/run/plan.h"

namespace tickmark::run {
namespace {

constexpr double kStartAndStopS = 0.15;     // guard, exec, ready line; drain; teardown; samples; fdatasync
constexpr double kConnectionsPerS = 6'700;  // ramp at 20,000/s, first answers, closing, per connection

}  // namespace

double estimated_trial_s(const PlannedCell& cell) {
  int connections = 0;
  for (const PlannedLane& lane : cell.lanes) connections += lane.connections;
  const double window = seconds(cell.warmup + cell.duration);
  const double shared_by = cell.together ? static_cast<double>(std::max<size_t>(1, cell.subjects.size())) : 1;
  return kStartAndStopS + connections / kConnectionsPerS + window / shared_by;
}

double estimated_calibration_s(const CalibrationNeed& need) {
  return 2 *
         (kStartAndStopS + need.connections / kConnectionsPerS + seconds(need.duration + kCalibrationWarmup));
}

}  // namespace tickmark::run
