// What a trial costs on the wall. The constants were measured on the two-core virtual machine the quick
// suite is budgeted for; an estimate may err, the plan never does: it names its trials, not its seconds.

#include "harness/run/plan.h"

namespace tickmark::run {
namespace {

constexpr double kStartAndStopS = 0.15;     // guard, exec, ready line; drain; teardown; samples; fdatasync
constexpr double kConnectionsPerS = 6'700;  // ramp at 20,000/s, first answers, closing, per connection

}  // namespace

double estimated_trial_s(const PlannedCell& cell) {
  int connections = 0;
  for (const PlannedLane& lane : cell.lanes) connections += lane.connections;
  return kStartAndStopS + connections / kConnectionsPerS + seconds(cell.warmup + cell.duration);
}

double estimated_calibration_s(const CalibrationNeed& need) {
  return 2 *
         (kStartAndStopS + need.connections / kConnectionsPerS + seconds(need.duration + kCalibrationWarmup));
}

}  // namespace tickmark::run
