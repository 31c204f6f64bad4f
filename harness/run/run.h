#pragma once
// The whole run: resolve, calibrate, plan, measure, conform, analyse; into one bundle that is readable at
// every moment. What the command line's `run` calls.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "harness/base/error.h"
#include "harness/output/bundle_reader.h"
#include "harness/output/bundle_writer.h"
#include "harness/output/progress.h"
#include "harness/process/registry.h"
#include "harness/run/plan.h"

namespace tickmark::run {

/// The suite's conformance pass, given by whoever can do it: appends verdicts to the bundle. Its value is
/// the exit code: 0, or 1 for a finding. `interrupted` is polled.
using ConformPass = std::function<Expected<int>(output::BundleWriter& bundle, const Plan& plan,
                                                const std::function<bool()>& interrupted)>;

/// Blocks of the plan, both included.
struct BlockRange {
  int first = 0, last = 0;
};

/// Chooses what is run: called before the first block (`block` = -1) and after each with the records of its
/// trials; gives the blocks that are expected to be run next, of which the first is, or nothing to stop. It
/// may only go forward in the plan.
using NextBlocks = std::function<Expected<std::optional<BlockRange>>(
    const Plan& plan, int block, const std::vector<output::Json>& records)>;

struct RunRequest {
  std::vector<std::string> subjects;  ///< as typed or as the suite lists them; empty: all
  std::string suite = "quick";
  std::filesystem::path suites_folder;  ///< harness/run/suites of the product's root
  Overrides overrides;
  uint64_t seed = 1;                               ///< below 2^53
  std::optional<std::filesystem::path> plan_file;  ///< replay: everything above is then taken from it
  std::filesystem::path output;                    ///< the bundle: a folder that does not exist or is empty
  std::string command;                             ///< repeats this run
  output::Json tool;                               ///< plan.json's `tool`
  output::Json conformance;                        ///< plan.json's `conformance`; null: none. `repeat` and
                             ///< `background_connections` are filled in from the suite if absent
  ConformPass conform;                   ///< may be empty: no pass
  output::Json gate;                     ///< plan.json's `gate`; null: none
  NextBlocks next_blocks;                ///< may be empty: all blocks of the plan, in order
  output::Progress* progress = nullptr;  ///< borrowed; null: silent
};

struct RunOutcome {
  std::filesystem::path bundle;    ///< empty if none was written (everything was skipped)
  std::string status;              ///< complete | interrupted | skipped
  int exit_code = 0;               ///< 0, 1 (conformance), 3, 77, 130 or 143, as DESIGN lists them
  std::vector<std::string> notes;  ///< sentences for the person who asked
};

/// The plan without measuring anything: rates that need a calibration are 0, "set at the start".
Expected<Plan> dry_run(process::Registry& registry, const RunRequest& request);

/// Runs. Errors (kUsage, kEnvironment) mean that nothing was measured and nothing was written.
Expected<RunOutcome> run(process::Registry& registry, const RunRequest& request);

/// Reads the bundle, makes its analysis anew, writes it as analysis.json (a note in the bundle says where
/// that is impossible) and returns the bundle with it: what `report` calls first.
Expected<output::Bundle> analyse_bundle(const std::filesystem::path& folder);

}  // namespace tickmark::run
