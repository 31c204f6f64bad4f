#include "harness/cli/program_subject.h"

#include <algorithm>
#include <fmt/format.h>
#include <memory>

#include "harness/process/registry.h"
#include "harness/run/scratch.h"

namespace tickmark::cli {
namespace {

using process::ResolvedSubject;
using process::SubjectStatus;

/// What a process may take at most: every program its deadline, some at a time, and its start.
Nanos deadline_of(const programs::ProgramFile& file) {
  constexpr Nanos kStart = 20s;
  constexpr Nanos kEach = 300ms;
  return kStart + kEach * static_cast<int64_t>(file.programs.size());
}

/// Plays files in the scratch folder under the guard.
class ProgramPlayer {
 public:
  ProgramPlayer(ResolvedSubject subject, run::Scratch scratch)
      : subject_(std::move(subject)), scratch_(std::move(scratch)) {}

  Expected<std::vector<programs::Run>> play(const programs::ProgramFile& file) {
    const auto scenarios = scratch_.folder() / "programs.json";
    const auto trace = scratch_.folder() / "runs.ndjson";
    std::error_code ignored;
    std::filesystem::remove(trace, ignored);
    if (auto written = programs::write_programs(scenarios, file); !written)
      return std::unexpected(written.error());
    process::RunOptions options;
    options.deadline = deadline_of(file);
    const auto command =
        subject_.play_command({"--scenarios", scenarios.string(), "--trace", trace.string()});
    auto done = process::run_once(command, options);
    if (!done) return std::unexpected(done.error());
    if (done->exit.code == 2)
      return subject_error(
          fmt::format("{} refuses a file of programs: {}", subject_.id, done->exit.stderr_tail));
    std::vector<programs::Run> runs;
    if (auto read = programs::read_runs(trace, [&](programs::Run&& run) { runs.push_back(std::move(run)); });
        !read)
      return std::unexpected(read.error());
    return runs;
  }

 private:
  ResolvedSubject subject_;
  run::Scratch scratch_;
};

bool plays_programs(const SubjectStatus& status) {
  return std::ranges::find(status.description.features, "play_programs") != status.description.features.end();
}

Expected<void> add_player(process::Registry& registry, const std::string& text, bool asked_for,
                          ProgramSubjects& found) {
  auto name = SubjectName::parse(text);
  if (!name) return std::unexpected(name.error());
  auto subject = registry.resolve(*name);
  if (!subject) return std::unexpected(subject.error());
  const SubjectStatus status = registry.status(*subject);
  if (!status.available()) {
    const std::string install = status.install.empty() ? "" : " Install it with: " + status.install;
    if (asked_for)
      found.skipped.push_back(fmt::format("{} is not available: {}{}", text, status.reason, install));
    return {};
  }
  if (auto known = process::Registry::check_options(*subject, status.description); !known) return known;
  if (!plays_programs(status)) {
    if (asked_for) found.skipped.push_back(fmt::format("{} does not play programs: nothing to judge", text));
    return {};
  }
  auto scratch = run::Scratch::create();
  if (!scratch) return std::unexpected(scratch.error());
  programs::Profile profile = programs::profile_of(status.description.versions);
  const auto time = subject->options.find("time");
  if (time != subject->options.end() && time->second == "virtual") profile.clock_slack_ms = 0;
  const auto player = std::make_shared<ProgramPlayer>(*subject, std::move(*scratch));
  found.players.push_back({.id = subject->id, .profile = profile, .play = [player](const auto& file) {
                             return player->play(file);
                           }});
  return {};
}

}  // namespace

Expected<ProgramSubjects> find_program_subjects(const std::vector<std::string>& names) {
  auto paths = process::find_paths();
  if (!paths) return std::unexpected(paths.error());
  auto registry = process::Registry::load(*paths);
  if (!registry) return std::unexpected(registry.error());
  std::vector<std::string> wanted = names;
  if (wanted.empty()) {
    for (const SubjectManifest& manifest : registry->subjects()) wanted.push_back(manifest.name);
  }
  ProgramSubjects found;
  for (const std::string& text : wanted) {
    if (auto added = add_player(*registry, text, !names.empty(), found); !added)
      return std::unexpected(added.error());
  }
  return found;
}

}  // namespace tickmark::cli
