#pragma once
// The directory is the registry: every folder of baselines/ with a subject.yaml is a subject, every
// folder of workloads/ with a spec.yaml a workload. A broken file is an error, never a silent skip.

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/error.h"
#include "harness/process/paths.h"
#include "harness/process/pinned_runtimes.h"
#include "harness/process/subject_process.h"
#include "harness/vocabulary/subject.h"
#include "harness/vocabulary/workload.h"

namespace tickmark::process {

/// A subject name made startable.
struct ResolvedSubject {
  SubjectName name;
  std::string id;  ///< name.text()
  SubjectManifest manifest;
  Command command;     ///< manifest.command with every placeholder filled
  Parameters options;  ///< go to the subject as --option k=v (launch options do not)

  Command describe_command() const;
  /// `serve --workload W --option k=v... --param k=v...`; the subject chooses its port.
  Command serve_command(std::string_view workload, const Parameters& params) const;
  /// `play` followed by `arguments` and the options.
  Command play_command(const std::vector<std::string>& arguments) const;
};

enum class Availability {
  kAvailable,
  kMissing,  ///< not installed, not built, or no such version here: `reason`, `install`
  kBroken,   ///< it is here but `describe` failed or lies: `reason`
};

struct SubjectStatus {
  Availability availability = Availability::kMissing;
  std::string reason;              ///< one sentence, for everything but kAvailable
  std::string install;             ///< the command that would install it; "" if none would
  SubjectDescription description;  ///< if kAvailable

  bool available() const { return availability == Availability::kAvailable; }
};

/// One line of `tickmark list subjects`.
struct CatalogueEntry {
  SubjectName name;  ///< with a version for each runtime of a family that could be fetched
  SubjectManifest manifest;
  SubjectStatus status;
};

/// Not thread-safe: status() caches.
class Registry {
 public:
  Registry() = default;  ///< empty
  /// Reads every subject.yaml and spec.yaml. kEnvironment, naming file and key, if one is broken.
  static Expected<Registry> load(const Paths& paths);

  const Paths& paths() const { return paths_; }
  const std::vector<SubjectManifest>& subjects() const { return subjects_; }  ///< sorted by name
  const std::vector<WorkloadSpec>& workloads() const { return workloads_; }   ///< sorted by id

  /// kUsage with "did you mean" if there is no such workload.
  Expected<WorkloadSpec> workload(std::string_view id) const;
  /// Fills placeholders; kUsage if there is no such subject ("did you mean"). A version chooses the fetched
  /// runtime of that major where there is one; without a version what is on PATH comes first.
  Expected<ResolvedSubject> resolve(const SubjectName& name) const;
  /// Whether it can run here: looks for its program, runs `describe` (once per command, 10 s at most) and
  /// checks the version asked for.
  SubjectStatus status(const ResolvedSubject& subject);
  /// kUsage if an option is none that `describe` reports ("did you mean").
  static Expected<void> check_options(const ResolvedSubject& subject, const SubjectDescription& description);
  /// Every subject under its plain name, followed by its pinned versions where there are several.
  std::vector<CatalogueEntry> catalogue();

 private:
  /// The pinned runtime a name asks for, whether it is here or not; nullptr if none is pinned.
  const PinnedRuntime* pinned_for(const SubjectName& name, const SubjectManifest& manifest) const;

  Paths paths_;
  std::vector<SubjectManifest> subjects_;
  std::vector<WorkloadSpec> workloads_;
  std::vector<PinnedRuntime> pinned_;
  std::map<Command, SubjectStatus> described_;
};

/// One folder's file; errors (kEnvironment) name file and key. The folder's name is the name / id.
Expected<SubjectManifest> load_subject_manifest(const std::filesystem::path& file);
Expected<WorkloadSpec> load_workload_spec(const std::filesystem::path& file);

/// What `describe` printed, checked against the subject's name.
Expected<SubjectDescription> parse_description(std::string_view text, const std::string& name);

/// Why `description` is not the version asked for, "" if it is: the version is a prefix, in whole numbers, of
/// the runtime's version where one is named like the subject, else of any version.
std::string version_mismatch(const SubjectName& name, const SubjectDescription& description);

/// " did you mean 'x'?" for the nearest candidate within a third of the word's length, else "".
std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace tickmark::process
