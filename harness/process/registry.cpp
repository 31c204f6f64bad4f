#include "harness/process/registry.h"

#include <algorithm>
#include <fmt/format.h>

namespace tickmark::process {
namespace fs = std::filesystem;
namespace {

/// Every `folder`/*/`file`, sorted by folder.
Expected<std::vector<fs::path>> registered(const fs::path& folder, const char* file) {
  std::vector<fs::path> files;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    std::error_code ignored;
    if (fs::exists(entry.path() / file, ignored)) files.push_back(entry.path() / file);
  }
  if (error) return environment_error(fmt::format("cannot read '{}': {}", folder.string(), error.message()));
  std::ranges::sort(files);
  return files;
}

/// Optimal string alignment: insertions, deletions, substitutions and swaps of neighbours each cost 1.
size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<size_t>> cost(a.size() + 1, std::vector<size_t>(b.size() + 1));
  for (size_t i = 0; i <= a.size(); ++i) cost[i][0] = i;
  for (size_t j = 0; j <= b.size(); ++j) cost[0][j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t change = cost[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      cost[i][j] = std::min({cost[i - 1][j] + 1, cost[i][j - 1] + 1, change});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        cost[i][j] = std::min(cost[i][j], cost[i - 2][j - 2] + 1);
      }
    }
  }
  return cost[a.size()][b.size()];
}

/// One pass, so that a value that looks like a placeholder stays what it is.
std::string fill(const std::string& word, const Parameters& values) {
  std::string out;
  for (size_t at = 0; at < word.size();) {
    const size_t close = word[at] == '{' ? word.find('}', at) : std::string::npos;
    const auto value =
        close == std::string::npos ? values.end() : values.find(word.substr(at + 1, close - at - 1));
    if (value == values.end()) {
      out += word[at++];
    } else {
      out += value->second;
      at = close + 1;
    }
  }
  return out;
}

SubjectStatus missing(std::string reason, std::string install) {
  return {Availability::kMissing, std::move(reason), std::move(install), {}};
}

/// Nothing if the subject's programs are here.
std::optional<SubjectStatus> look_for_programs(const ResolvedSubject& subject) {
  const SubjectManifest& manifest = subject.manifest;
  if (!manifest.binary.empty() && !manifest.launch_options.contains("binary") &&
      find_program(manifest.binary).empty()) {
    return missing(fmt::format("'{}' is not installed", manifest.binary), manifest.install);
  }
  const std::string& program = subject.command[0];
  if (!find_program(program).empty()) return std::nullopt;
  if (manifest.binary.empty() && !subject.name.options.contains("binary")) {
    const std::string install = manifest.install.empty() ? "./scripts/build" : manifest.install;
    return missing(fmt::format("'{}' has not been built", fs::path(program).filename().string()), install);
  }
  const std::string_view what =
      program.find('/') != std::string::npos ? "no executable file" : "not installed";
  return missing(fmt::format("'{}' is {}", program, what), manifest.install);
}

SubjectStatus run_describe(const ResolvedSubject& subject) {
  SubjectStatus status;
  status.availability = Availability::kBroken;
  const auto run = run_once(subject.describe_command());
  if (!run) {
    status.reason = run.error().message;
  } else if (run->exit.hung) {
    status.reason = "'describe' did not end within 10 s";
  } else if (run->exit.code != 0 || run->exit.signal != 0) {
    status.reason =
        fmt::format("'describe' failed (exit code {}, signal {}): {}", run->exit.code, run->exit.signal,
                    run->exit.stderr_tail.substr(0, run->exit.stderr_tail.find_last_not_of('\n') + 1));
  } else if (auto description = parse_description(run->out, subject.name.name); !description) {
    status.reason = description.error().message;
  } else {
    status.availability = Availability::kAvailable;
    status.description = std::move(*description);
  }
  return status;
}

}  // namespace

std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates) {
  const size_t limit = std::max<size_t>(1, word.size() / 3);
  const std::string* best = nullptr;
  size_t best_distance = limit + 1;
  for (const std::string& candidate : candidates) {
    const size_t distance = edit_distance(word, candidate);
    if (distance < best_distance) {
      best = &candidate;
      best_distance = distance;
    }
  }
  return best == nullptr ? "" : fmt::format(" did you mean '{}'?", *best);
}

Command ResolvedSubject::describe_command() const {
  Command words = command;
  words.push_back("describe");
  return words;
}

Command ResolvedSubject::serve_command(std::string_view workload, const Parameters& params) const {
  Command words = command;
  words.insert(words.end(), {"serve", "--workload", std::string(workload)});
  for (const auto& [key, value] : options) words.insert(words.end(), {"--option", key + "=" + value});
  for (const auto& [key, value] : params) words.insert(words.end(), {"--param", key + "=" + value});
  return words;
}

Command ResolvedSubject::play_command(const std::vector<std::string>& arguments) const {
  Command words = command;
  words.push_back("play");
  words.insert(words.end(), arguments.begin(), arguments.end());
  for (const auto& [key, value] : options) words.insert(words.end(), {"--option", key + "=" + value});
  return words;
}

Expected<Registry> Registry::load(const Paths& paths) {
  Registry registry;
  registry.paths_ = paths;
  auto pinned = load_pinned_runtimes(paths.root);
  if (!pinned) return std::unexpected(pinned.error());
  registry.pinned_ = std::move(*pinned);
  const auto subjects = registered(paths.root / "baselines", "subject.yaml");
  if (!subjects) return std::unexpected(subjects.error());
  for (const fs::path& file : *subjects) {
    auto manifest = load_subject_manifest(file);
    if (!manifest) return std::unexpected(manifest.error());
    registry.subjects_.push_back(std::move(*manifest));
  }
  const auto workloads = registered(paths.root / "workloads", "spec.yaml");
  if (!workloads) return std::unexpected(workloads.error());
  for (const fs::path& file : *workloads) {
    auto spec = load_workload_spec(file);
    if (!spec) return std::unexpected(spec.error());
    registry.workloads_.push_back(std::move(*spec));
  }
  return registry;
}

Expected<WorkloadSpec> Registry::workload(std::string_view id) const {
  std::vector<std::string> ids;
  for (const WorkloadSpec& spec : workloads_) {
    if (spec.id == id) return spec;
    ids.push_back(spec.id);
  }
  return usage_error(
      fmt::format("there is no workload '{}';{} see 'tickmark list workloads'", id, did_you_mean(id, ids)));
}

const PinnedRuntime* Registry::pinned_for(const SubjectName& name, const SubjectManifest& manifest) const {
  const std::string major = name.version.substr(0, name.version.find('.'));
  const PinnedRuntime* found = nullptr;
  for (const PinnedRuntime& runtime : pinned_) {
    if (runtime.family != manifest.fetched || manifest.fetched.empty()) continue;
    if (!major.empty() && runtime.major != major) continue;
    // Without a version: the newest that is here, else the newest that could be.
    if (found == nullptr || runtime.is_here() || !found->is_here()) found = &runtime;
  }
  return found;
}

Expected<ResolvedSubject> Registry::resolve(const SubjectName& name) const {
  const auto found = std::ranges::find(subjects_, name.name, &SubjectManifest::name);
  if (found == subjects_.end()) {
    std::vector<std::string> names;
    for (const SubjectManifest& manifest : subjects_) names.push_back(manifest.name);
    return usage_error(fmt::format("there is no subject '{}';{} see 'tickmark list subjects'", name.name,
                                   did_you_mean(name.name, names)));
  }
  ResolvedSubject subject{name, name.text(), *found, {}, {}};
  Parameters values{{"dir", paths_.root / "baselines" / found->name}, {"bin", paths_.bin}};
  for (const auto& [key, value] : found->launch_options) values[key] = fill(value, {{"bin", paths_.bin}});
  const PinnedRuntime* pinned = pinned_for(name, *found);
  if (pinned != nullptr && pinned->is_here() &&
      (!name.version.empty() || find_program(values["binary"]).empty())) {
    values["binary"] = pinned->program;
  }
  for (const auto& [key, value] : name.options) {
    (found->launch_options.contains(key) ? values : subject.options)[key] = value;
  }
  for (const std::string& word : found->command) subject.command.push_back(fill(word, values));
  return subject;
}

SubjectStatus Registry::status(const ResolvedSubject& subject) {
  const PinnedRuntime* pinned =
      subject.name.version.empty() ? nullptr : pinned_for(subject.name, subject.manifest);
  if (auto absent = look_for_programs(subject)) {
    if (pinned != nullptr) absent->install = pinned->fetch_command();
    return *absent;
  }
  auto [cached, fresh] = described_.try_emplace(subject.command);
  if (fresh) cached->second = run_describe(subject);
  SubjectStatus status = cached->second;
  if (!status.available()) return status;
  if (auto mismatch = version_mismatch(subject.name, status.description); !mismatch.empty()) {
    return missing(std::move(mismatch), pinned == nullptr ? "" : pinned->fetch_command());
  }
  return status;
}

Expected<void> Registry::check_options(const ResolvedSubject& subject,
                                       const SubjectDescription& description) {
  std::vector<std::string> known;
  for (const auto& [key, value] : description.options) known.push_back(key);
  for (const auto& [key, value] : subject.manifest.launch_options) known.push_back(key);
  for (const auto& [key, value] : subject.options) {
    if (std::ranges::find(known, key) != known.end()) continue;
    return usage_error(fmt::format("subject '{}' has no option '{}';{} it has: {}", subject.id, key,
                                   did_you_mean(key, known),
                                   known.empty() ? "none" : fmt::format("{}", fmt::join(known, ", "))));
  }
  return {};
}

std::vector<CatalogueEntry> Registry::catalogue() {
  std::vector<CatalogueEntry> entries;
  for (const SubjectManifest& manifest : subjects_) {
    SubjectName name;
    name.name = manifest.name;
    entries.push_back({name, manifest, status(*resolve(name))});
    if (manifest.fetched.empty() || std::ranges::count(pinned_, manifest.fetched, &PinnedRuntime::family) < 2)
      continue;
    for (const PinnedRuntime& runtime : pinned_) {
      if (runtime.family != manifest.fetched) continue;
      name.version = runtime.major;
      entries.push_back({name, manifest, status(*resolve(name))});
    }
  }
  return entries;
}

}  // namespace tickmark::process
