#include "harness/run/calibrate.h"

#include <algorithm>
#include <fmt/format.h>

#include "harness/vocabulary/subject.h"

namespace tickmark::run {
namespace {

constexpr int kTries = 2;

PlannedCell closed_cell(const CalibrationNeed& need) {
  PlannedCell cell;
  cell.id = need.key;
  cell.workload = need.workload;
  cell.variant = need.variant;
  cell.open_loop = false;
  cell.connections = need.connections;
  cell.placement = need.placement;
  cell.warmup = kCalibrationWarmup;
  cell.duration = need.duration;
  cell.params = need.params;
  cell.lanes.push_back({"main", need.variant, need.connections, load::Arrivals::kClosed, 0});
  return cell;
}

/// Requests per second of one subject, or the reason why there are none.
Expected<double> capacity(const CalibrationSetup& setup, const CalibrationNeed& need, const std::string& id) {
  auto subject = setup.resolve(id);
  if (!subject) return std::unexpected(subject.error());
  const PlannedCell cell = closed_cell(need);
  double best = 0;
  std::string reason = "nothing completed";
  for (int i = 0; i < kTries; ++i) {
    const PlannedTrial trial{i, 0, cell.id, id, setup.seed};
    TrialSetup trial_setup;
    trial_setup.trial = &trial;
    trial_setup.cell = &cell;
    trial_setup.subject = &*subject;
    trial_setup.clients = setup.clients;
    trial_setup.cpus = setup.cpus;
    trial_setup.interrupted = setup.interrupted;
    auto outcome = run_trial(trial_setup);
    if (!outcome) return std::unexpected(outcome.error());
    if (outcome->status == "interrupted") return subject_error("interrupted");
    if (outcome->status == "ok") {
      best = std::max(best, outcome->facts.load.lanes.front().achieved_rate_per_s);
    } else {
      reason = fmt::format("{}: {}", outcome->status, outcome->reason);
    }
  }
  if (best > 0) return best;
  return subject_error(fmt::format("{} cannot be calibrated for {}: {}", id, need.key, reason));
}

/// The reference first, then the others in their order; only who is available and speaks the workload.
std::vector<std::string> candidates(const CalibrationSetup& setup, const CalibrationNeed& need) {
  std::vector<std::string> ids;
  for (const PlannedSubject& subject : setup.subjects) {
    if (!subject.available || !speaks(subject.workloads, need.workload, need.variant)) continue;
    ids.insert(subject.id == setup.reference ? ids.begin() : ids.end(), subject.id);
  }
  return ids;
}

}  // namespace

Expected<Calibration> calibrate(const CalibrationSetup& setup) {
  Calibration calibration;
  calibration.subject = setup.reference;
  for (const CalibrationNeed& need : setup.needs) {
    std::string why = fmt::format("no available subject speaks {}", need.workload);
    bool done = false;
    for (const std::string& id : candidates(setup, need)) {
      if (setup.on_start) setup.on_start(need, id);
      auto measured = capacity(setup, need, id);
      if (setup.interrupted && setup.interrupted()) return calibration;
      if (!measured && measured.error().kind != ErrorKind::kSubject) return std::unexpected(measured.error());
      if (!measured) {
        why = measured.error().message;
        continue;
      }
      calibration.capacity_per_s[need.key] = *measured;
      if (id != setup.reference) {
        calibration.note +=
            fmt::format("{}{} was calibrated on {}", calibration.note.empty() ? "" : "; ", need.key, id);
      }
      done = true;
      break;
    }
    if (!done) {
      return environment_error(
          fmt::format("no rate can be set for workload {}: {}; see 'tickmark doctor'", need.workload, why));
    }
  }
  return calibration;
}

}  // namespace tickmark::run
