#include "harness/cli/program_subject.h"

#include <algorithm>
#include <fmt/format.h>
#include <future>
#include <iterator>
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

using Runs = Expected<std::vector<programs::Run>>;

/// The file in parts, one for each process; places keep their slots.
std::vector<programs::ProgramFile> parts_of(const programs::ProgramFile& file, size_t processes) {
  const size_t rounds = (file.programs.size() + file.slots - 1) / file.slots;
  const size_t size_most = std::max<size_t>(1, (rounds + processes - 1) / processes) * file.slots;
  std::vector<programs::ProgramFile> parts;
  for (size_t from = 0; from < file.programs.size(); from += size_most) {
    const auto begin = file.programs.begin() + static_cast<std::ptrdiff_t>(from);
    const size_t size = std::min(size_most, file.programs.size() - from);
    parts.push_back({file.slots, file.deadline, {begin, begin + static_cast<std::ptrdiff_t>(size)}});
  }
  return parts;
}

/// Plays files in the scratch folder under the guard, in several processes at once: programs wait more than
/// they compute.
class ProgramPlayer {
 public:
  ProgramPlayer(ResolvedSubject subject, run::Scratch scratch, size_t processes)
      : subject_(std::move(subject)), scratch_(std::move(scratch)), processes_(processes) {}

  Runs play(const programs::ProgramFile& file) const {
    const auto parts = parts_of(file, processes_);
    std::vector<std::future<Runs>> playing;
    for (size_t i = 0; i < parts.size(); ++i)
      playing.push_back(std::async(std::launch::async, [&, i] { return play_part(parts[i], i); }));
    std::vector<programs::Run> all;
    std::optional<Error> error;
    for (auto& each : playing) {
      Runs runs = each.get();
      if (runs)
        std::ranges::move(*runs, std::back_inserter(all));
      else
        error = runs.error();
    }
    if (error) return std::unexpected(*error);
    return all;
  }

 private:
  Runs play_part(const programs::ProgramFile& file, size_t number) const {
    const auto scenarios = scratch_.folder() / fmt::format("programs-{}.json", number);
    const auto trace = scratch_.folder() / fmt::format("runs-{}.ndjson", number);
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

  ResolvedSubject subject_;
  run::Scratch scratch_;
  size_t processes_;
};

bool plays_programs(const SubjectStatus& status) {
  return std::ranges::find(status.description.features, "play_programs") != status.description.features.end();
}

Expected<void> add_player(process::Registry& registry, const std::string& text, bool asked_for,
                          size_t processes, ProgramSubjects& found) {
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
  const auto player = std::make_shared<ProgramPlayer>(*subject, std::move(*scratch), processes);
  found.players.push_back({.id = subject->id, .profile = profile, .play = [player](const auto& file) {
                             return player->play(file);
                           }});
  return {};
}

}  // namespace

Expected<ProgramSubjects> find_program_subjects(const std::vector<std::string>& names, size_t processes) {
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
    if (auto added = add_player(*registry, text, !names.empty(), processes, found); !added)
      return std::unexpected(added.error());
  }
  return found;
}

}  // namespace tickmark::cli
