#pragma once
// Writes a result bundle (docs/bundle.md) so that it is readable at every moment, whatever kills us:
// whole documents appear by rename, line files grow by one complete line per write.

#include <filesystem>
#include <string>
#include <string_view>

#include "harness/base/error.h"
#include "harness/base/time.h"
#include "harness/base/unique_fd.h"
#include "harness/output/json_access.h"
#include "harness/stats/histogram.h"

namespace tickmark::output {

/// Replaces `path` by `bytes` in one step: a temporary file beside it, fsync, rename, fsync of the folder.
/// A reader sees the old content or the new one, never a part.
Expected<void> write_atomically(const std::filesystem::path& path, std::string_view bytes);

/// One bundle being written. Used from one thread.
class BundleWriter {
 public:
  /// Whether `folder` can become a bundle: it does not exist or is empty. A bundle is the record of one run,
  /// never overwritten.
  static Expected<void> check_free(const std::filesystem::path& folder);
  /// Makes the bundle with its plan.json and machine.json, in one step (a folder beside it, then a rename):
  /// there is no moment at which a folder without a plan could be taken for a bundle.
  static Expected<BundleWriter> create(const std::filesystem::path& folder, const Json& plan,
                                       const Json& machine);
  /// Opens an existing bundle to add documents to it (analysis.json by `tickmark report`).
  static Expected<BundleWriter> open(const std::filesystem::path& folder);

  const std::filesystem::path& folder() const { return folder_; }

  /// plan.json, machine.json, analysis.json, end.json. `document` carries its schema; asserts it.
  Expected<void> write_document(std::string_view file, const Json& document);

  /// One line of trials.ndjson, on the disk (fdatasync) when this returns.
  Expected<void> append_trial(const Json& trial);
  /// One line of conformance.ndjson.
  Expected<void> append_verdict(const Json& verdict);
  /// One interval of histograms.hlog. `start_since_epoch` is wall-clock time. Empty histograms are left
  /// out: HdrHistogram's readers have no use for them.
  Expected<void> append_histogram(std::string_view tag, Nanos start_since_epoch, Nanos length,
                                  const stats::Histogram& histogram);

  /// The folder `traces/`, made on first use.
  Expected<std::filesystem::path> traces_folder();

 private:
  explicit BundleWriter(std::filesystem::path folder) : folder_(std::move(folder)) {}
  Expected<void> append(UniqueFd& file, std::string_view name, std::string_view line, bool to_disk);

  std::filesystem::path folder_;
  UniqueFd trials_, verdicts_, histograms_;
  Nanos histograms_start_{-1};  ///< wall-clock time to which the log's intervals are relative
};

/// Wall-clock time since the epoch.
Nanos wall_clock();
/// "2026-11-21T03:00:00Z"
std::string utc_text(Nanos since_epoch);

}  // namespace tickmark::output
