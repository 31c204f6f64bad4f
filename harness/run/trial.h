#pragma once
// One trial: a fresh subject process, one load, one record for the bundle. Whatever the subject does wrong
// becomes a status with a reason; only faults of the harness or of the machine are errors.

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "harness/base/error.h"
#include "harness/base/time.h"
#include "harness/output/json_access.h"
#include "harness/process/accounting.h"
#include "harness/process/kernel_memory.h"
#include "harness/process/registry.h"
#include "harness/process/subject_process.h"
#include "harness/run/plan.h"
#include "harness/run/validity.h"

namespace tickmark::run {

/// Client halves are pure functions of their setup, and some take long to make (tables of derived keys):
/// one per workload, variant and parameters for a whole run. Files they need lie below `folder`.
class ClientCache {
 public:
  ClientCache(std::filesystem::path folder, uint64_t seed) : folder_(std::move(folder)), seed_(seed) {}
  /// Borrowed until the cache dies.
  Expected<const Client*> get(const std::string& workload, const std::string& variant,
                              const Parameters& params);

 private:
  std::filesystem::path folder_;
  uint64_t seed_;
  std::map<std::string, std::unique_ptr<Client>> clients_;
};

/// Cores by role, from the affinity this process was started with.
struct CpuRoles {
  std::vector<int> all;
  std::vector<int> subject(Placement placement) const;  ///< isolated: the first core; shared: all
  int client() const { return all.back(); }
  bool client_alone(Placement placement) const { return placement == Placement::kIsolated && all.size() > 1; }
  static CpuRoles of_this_process();
};

/// A histogram for histograms.hlog.
struct TaggedHistogram {
  std::string tag;
  stats::Histogram histogram;
};

/// What was read around the load.
struct TrialSamples {
  process::TreeUsage window_begin, window_end;     ///< kCpu, and kThreads where threads are few
  process::TreeUsage memory_before, memory_after;  ///< kMemory
  process::KernelMemory kernel_before, kernel_after;
  bool has_window = false, has_memory = false;
  bool threads_sampled = false;   ///< window_begin/end hold waits and switches
  bool alone = true;              ///< no other subject ran meanwhile, so the machine's sums are this one's
  uint64_t machine_switches = 0;  ///< of the whole machine in the window, minus the client's own
};

/// Everything that happened in one trial, before it becomes JSON.
struct TrialOutcome {
  std::string status = "ok";  ///< as docs/bundle.md lists them
  std::string reason;
  bool loaded = false;             ///< run_load gave a report: facts and samples hold something
  bool environment_fault = false;  ///< the reason lies in this machine, not in the subject
  TrialFacts facts;
  TrialSamples samples;
  process::ExitReport exit;
  Nanos started_wall{0}, window_wall{0};  ///< wall clock, since the epoch
  Nanos wall{0};                          ///< how long the whole trial took
  Nanos warmup{0};                        ///< load before the window
};

class CanaryLog;

struct TrialSetup {
  const PlannedTrial* trial = nullptr;
  const PlannedCell* cell = nullptr;
  const process::ResolvedSubject* subject = nullptr;
  ClientCache* clients = nullptr;
  CpuRoles cpus;
  std::function<bool()> interrupted;
  std::function<void(Nanos elapsed, uint64_t completed)> progress;
  CanaryLog* canaries = nullptr;  ///< borrowed; null: no canary, as in a calibration
  std::optional<Nanos> warmup;    ///< instead of the cell's
};

/// Runs it. Errors (kEnvironment, kUsage): a client half could not be made. Always ends the subject.
Expected<TrialOutcome> run_trial(const TrialSetup& setup);

/// The record of trials.ndjson.
output::Json trial_to_json(const TrialOutcome& outcome, const PlannedTrial& trial, const PlannedCell& cell);
/// A record for a trial that was not run, e.g. `wrong_reply` of a disqualified subject.
output::Json unrun_trial_to_json(const std::string& status, const std::string& reason,
                                 const PlannedTrial& trial, const PlannedCell& cell);
/// Its histograms, tagged `t<trial>.<lane>.<what>`; empty ones left out.
std::vector<TaggedHistogram> trial_histograms(const TrialOutcome& outcome, const PlannedTrial& trial);

/// Index of the cell's headline lane: `probe` where there is one, else the first.
size_t headline_lane(const PlannedCell& cell);

}  // namespace tickmark::run
