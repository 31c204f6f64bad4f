// tickmark fuzz: callback order of subjects, judged by random programs.

#include <fmt/format.h>
#include <fstream>

#include "harness/cli/fuzz_report.h"
#include "harness/cli/program_subject.h"
#include "harness/cli/verb.h"
#include "harness/output/bundle_writer.h"
#include "harness/output/progress.h"
#include "harness/vocabulary/subject.h"

namespace tickmark::cli {
namespace {

struct FuzzFlags {
  std::vector<std::string> subjects;
  uint64_t programs = 1000;
  uint64_t seed = 1;
  unsigned throwing_permille = 0;
  unsigned slots = 3;
  unsigned processes = 4;
  std::string program;  ///< a file with one: no random ones
  std::string output;
};

Expected<std::string> read_text(const std::string& file) {
  std::ifstream in(file);
  if (!in) return usage_error(fmt::format("cannot read the program '{}'", file));
  return std::string(std::istreambuf_iterator<char>(in), {});
}

// Enough that the start of a process does not matter, and a sign of life now and then.
constexpr unsigned kChunk = 1000;

programs::Plan plan_for(const FuzzFlags& options, const programs::Profile& profile) {
  programs::Plan plan{.seed = options.seed, .programs = options.programs, .shape = {}, .chunk = kChunk};
  plan.shape.slots = options.slots;
  plan.shape.throwing_permille = profile.knows_errors ? options.throwing_permille : 0;
  plan.shape.closes = profile.can_close;
  // A message port has another end, which closes a turn later, and with it goes a drain nobody knows the
  // place of.
  plan.shape.throwing_closes = false;
  plan.shape.unrefs = profile.unref_keeps_place;
  return plan;
}

/// One program, again and again.
Expected<programs::Campaign> play_again(const std::string& text, uint64_t times,
                                        const programs::Subject& subject) {
  auto program = programs::parse_program(text);
  if (!program) return std::unexpected(program.error());
  auto judged = programs::judges_of(subject, {.slots = 1})(std::vector(times, *program));
  if (!judged) return std::unexpected(judged.error());
  programs::Campaign campaign;
  campaign.programs = times;
  for (auto& finding : *judged) {
    if (!finding) continue;
    ++campaign.refused;
    if (campaign.by_rule[finding->refusal.rule]++ == 0) campaign.findings.push_back(std::move(*finding));
  }
  return campaign;
}

Expected<void> keep_findings(const std::string& folder, Fuzzed& fuzzed) {
  for (size_t i = 0; i < fuzzed.campaign.findings.size(); ++i) {
    const programs::Finding& finding = fuzzed.campaign.findings[i];
    const auto file =
        std::filesystem::path(folder) / fmt::format("{}-{}.json", SubjectName::parse(fuzzed.subject)->name,
                                                    programs::name_of(finding.refusal.rule));
    if (auto kept = output::write_atomically(file, programs::to_json(finding.program) + "\n"); !kept)
      return kept;
    const auto text = std::filesystem::path(file).replace_extension(".txt");
    if (auto kept = output::write_atomically(text, finding_text(finding)); !kept) return kept;
    fuzzed.reproduce[i] =
        fmt::format("tickmark fuzz {} --program {} --programs 100", fuzzed.subject, file.string());
  }
  return {};
}

Expected<Fuzzed> fuzz_one(const FuzzFlags& options, const programs::Subject& player, const std::string& text,
                          output::Progress& progress) {
  Fuzzed fuzzed{.subject = player.id, .campaign = {}, .reproduce = {}};
  const Nanos start = now();
  if (!text.empty()) {
    auto again = play_again(text, options.programs, player);
    if (!again) return std::unexpected(again.error());
    fuzzed.campaign = std::move(*again);
  } else {
    programs::Plan plan = plan_for(options, player.profile);
    plan.progress = [&](uint64_t done) {
      output::ProgressState state;
      state.subject = player.id;
      state.cell = "programs";
      state.done = static_cast<int>(done);
      state.total = static_cast<int>(options.programs);
      progress.tick(state);
      fuzzed.taken = now() - start;
    };
    auto campaign = programs::run_campaign(plan, player);
    if (!campaign) return std::unexpected(campaign.error());
    fuzzed.campaign = std::move(*campaign);
  }
  if (fuzzed.taken == Nanos{0}) fuzzed.taken = now() - start;
  for (const programs::Finding& original : fuzzed.campaign.findings) {
    fuzzed.reproduce.push_back(fmt::format("tickmark fuzz {} --seed {} --programs {}", fuzzed.subject,
                                           options.seed, (original.program.id & 0xffff'ffff) + 1));
  }
  if (!options.output.empty()) {
    if (auto kept = keep_findings(options.output, fuzzed); !kept) return std::unexpected(kept.error());
  }
  return fuzzed;
}

Expected<int> run_verb(const FuzzFlags& options, bool json) {
  std::string text;
  if (!options.program.empty()) {
    auto read = read_text(options.program);
    if (!read) return std::unexpected(read.error());
    text = std::move(*read);
    if (auto parsed = programs::parse_program(text); !parsed) return std::unexpected(parsed.error());
  }
  if (!options.output.empty()) {
    std::error_code error;
    std::filesystem::create_directories(options.output, error);
    if (error)
      return usage_error(fmt::format("folder '{}' cannot be made ({}); give --output a folder you may write",
                                     options.output, error.message()));
  }
  output::Progress progress = output::Progress::on_stderr();
  auto found = find_program_subjects(options.subjects, options.processes);
  if (!found) return std::unexpected(found.error());
  for (const std::string& sentence : found->skipped) progress.say(sentence);
  FuzzReport report{.seed = options.seed, .subjects = {}, .difference = {}};
  for (const programs::Subject& player : found->players) {
    auto fuzzed = fuzz_one(options, player, text, progress);
    if (!fuzzed) return std::unexpected(fuzzed.error());
    report.subjects.push_back(std::move(*fuzzed));
  }
  if (found->players.size() == 2 && text.empty()) {
    programs::Plan plan = plan_for(options, found->players[0].profile);
    const programs::Shape other = plan_for(options, found->players[1].profile).shape;
    plan.shape.closes &= other.closes;
    plan.shape.unrefs &= other.unrefs;
    plan.shape.throwing_permille = std::min(plan.shape.throwing_permille, other.throwing_permille);
    auto difference = programs::compare(plan, found->players[0], found->players[1]);
    if (!difference) return std::unexpected(difference.error());
    report.difference = std::move(*difference);
  }
  fmt::print("{}", json ? fuzz_json(report) + "\n" : fuzz_text(report));
  if (report.subjects.empty()) return kAllSkipped;
  return has_finding(report) ? kFinding : kOk;
}

}  // namespace

void add_fuzz(CLI::App& app, Invocation& invocation) {
  auto options = std::make_shared<FuzzFlags>();
  CLI::App* verb = add_verb(app, invocation, "fuzz", "callback order of subjects, judged by random programs",
                            [options, &invocation] { return run_verb(*options, invocation.json); });
  verb->add_option(
      "subjects", options->subjects,
      "name[@version][:key=value,...]; two are compared, too; default: all that can play programs");
  verb->add_option("--programs", options->programs, "how many")
      ->check(CLI::Range(1, 100'000'000))
      ->capture_default_str();
  verb->add_option("--seed", options->seed, "of the programs: the same seed, the same programs")
      ->check(CLI::Range(uint64_t{0}, uint64_t{1} << 62))
      ->capture_default_str();
  verb->add_option("--throwing", options->throwing_permille, "how many of a thousand programs throw errors")
      ->check(CLI::Range(0, 1000))
      ->capture_default_str();
  verb->add_option("--slots", options->slots,
                   "programs under way at once in one process; their durations differ")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  verb->add_option("--processes", options->processes,
                   "of each subject at once: programs wait more than they compute")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  verb->add_option("--program", options->program, "play this one (a file --output has written) instead");
  verb->add_option("--output", options->output, "folder where the smallest program of each finding is kept");
}

}  // namespace tickmark::cli
