// tickmark conform: callback order of subjects, judged by the rules.

#include <fmt/format.h>
#include <fstream>

#include "conformance/oracle/versions.h"
#include "harness/cli/conformance_pass.h"
#include "harness/cli/protocol_trial.h"
#include "harness/cli/verb.h"
#include "harness/cli/verdict_formats.h"
#include "harness/output/bundle_writer.h"
#include "harness/output/progress.h"

namespace tickmark::cli {
namespace {

struct ConformFlags {
  std::vector<std::string> subjects;
  std::vector<std::string> rules;
  unsigned repeat = 20;
  unsigned jobs = 0;
  int under_load = 0;
  std::string mode;
  std::string judged_as;
  std::string output;
  std::string junit;
  bool apart = false;
  bool tap = false;
  bool markdown = false;
  bool self_test = false;
};

Expected<PassRequest> make_request(const ConformFlags& options, output::Progress& progress) {
  PassRequest request;
  request.subjects = options.subjects;
  request.rules = options.rules;
  request.repeat = options.repeat;
  request.jobs = options.jobs;
  request.apart = options.apart;
  request.mode = options.mode;
  request.background_connections = options.under_load;
  request.rules_under_load = options.under_load > 0;
  if (!options.judged_as.empty()) {
    auto versions = conformance::parse_as(options.judged_as);
    if (!versions) return std::unexpected(versions.error());
    request.judged_as = *versions;
    request.judged_as_written = options.judged_as;
  }
  if (!options.output.empty()) {
    std::error_code error;
    std::filesystem::create_directories(options.output, error);
    if (error) {
      return usage_error(fmt::format("folder '{}' cannot be made ({}); give --output a folder you may write",
                                     options.output, error.message()));
    }
    request.traces = options.output;
  }
  request.progress = [&progress](const std::string& subject, size_t done, size_t of) {
    output::ProgressState state;
    state.subject = subject;
    state.cell = "rules";
    state.done = static_cast<int>(done);
    state.total = static_cast<int>(of);
    progress.tick(state);
  };
  return request;
}

// What is read on a terminal is pasted there: the commands then name this program, not one on the PATH.
void name_this_program(std::vector<conformance::Verdict>& verdicts) {
  static constexpr std::string_view kName = "tickmark";
  std::error_code error;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", error);
  const auto nearby = std::filesystem::proximate(program, error);
  if (error) return;
  const std::string text = nearby.string().starts_with("..") ? program.string() : nearby.string();
  for (conformance::Verdict& verdict : verdicts) {
    if (verdict.reproduce.starts_with(kName)) verdict.reproduce.replace(0, kName.size(), text);
  }
}

Expected<int> run_verb(const ConformFlags& options, bool json) {
  if (options.self_test) return self_test(options.subjects);
  auto paths = process::find_paths();
  if (!paths) return std::unexpected(paths.error());
  auto registry = process::Registry::load(*paths);
  if (!registry) return std::unexpected(registry.error());
  output::Progress progress = output::Progress::on_stderr();
  auto request = make_request(options, progress);
  if (!request) return std::unexpected(request.error());
  auto result = conformance_pass(*registry, *request);
  if (!result) return std::unexpected(result.error());
  for (const std::string& sentence : result->skipped) progress.say(sentence);
  for (const std::string& sentence : result->unexpected_passes) progress.say(sentence);
  for (const std::string& sentence : result->vacuous) progress.say(sentence);
  if (!options.junit.empty()) {
    if (auto written = output::write_atomically(options.junit, verdicts_junit(result->verdicts)); !written) {
      return std::unexpected(written.error());
    }
  }
  if (json) {
    fmt::print("{}\n", verdicts_json(result->verdicts));
  } else if (options.tap) {
    fmt::print("{}", verdicts_tap(result->verdicts));
  } else if (options.markdown) {
    fmt::print("{}", verdicts_markdown(result->verdicts));
  } else {
    name_this_program(result->verdicts);
    fmt::print("{}", verdicts_text(result->verdicts));
  }
  if (result->verdicts.empty()) return kAllSkipped;
  return result->findings.empty() && result->vacuous.empty() ? kOk : kFinding;
}

}  // namespace

void add_conform(CLI::App& app, Invocation& invocation) {
  auto options = std::make_shared<ConformFlags>();
  CLI::App* verb = add_verb(app, invocation, "conform", "callback order of subjects, judged by the rules",
                            [options, &invocation] { return run_verb(*options, invocation.json); });
  verb->add_option("subjects", options->subjects,
                   "name[@version][:key=value,...]; default: all that can play");
  verb->add_option("--rule", options->rules, "only these rules, or folders of rules (tickmark list rules)");
  verb->add_option("--repeat", options->repeat, "runs of each rule")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  verb->add_option("--jobs", options->jobs, "player processes at once; default: one for each core")
      ->check(CLI::Range(1, 64));
  verb->add_flag("--apart", options->apart,
                 "every run in a process of its own: slow, to see that it changes no verdict");
  verb->add_option(
          "--under-load", options->under_load,
          "play the rules in a loop that serves so many live sockets; where the loop writes a trace of "
          "its own, judge a background program beside them by the generic rules, too")
      ->check(CLI::Range(1, 1'000'000));
  verb->add_option("--mode", options->mode, "how a JavaScript player's steps are run: cjs, esm or worker")
      ->check(CLI::IsMember({"cjs", "esm", "worker"}));
  verb->add_option("--as", options->judged_as, "judge by another version's rules, as libuv@1.52");
  verb->add_option("--output", options->output, "folder where the trace of each failing rule is kept");
  verb->add_option("--junit", options->junit, "write JUnit XML to this file");
  verb->add_flag("--self-test", options->self_test,
                 "try a foreign player on the protocol: --self-test -- COMMAND...");
  CLI::Option* tap = verb->add_flag("--tap", options->tap, "print TAP 14");
  verb->add_flag("--markdown", options->markdown, "print Markdown")->excludes(tap);
}

}  // namespace tickmark::cli
