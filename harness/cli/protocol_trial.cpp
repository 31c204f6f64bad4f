#include "harness/cli/protocol_trial.h"

#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <nlohmann/json.hpp>

#include "conformance/oracle/protocol_check.h"
#include "harness/cli/verb.h"
#include "harness/run/scratch.h"

namespace tickmark::cli {
namespace {

using conformance::ProtocolCase;
using conformance::ProtocolReport;
namespace fs = std::filesystem;

constexpr unsigned kTrialRuns = 3;
constexpr Nanos kTrialDeadline = 30s;  // of a process; what it is asked for takes milliseconds

/// How the process ended, if not as it should have; "" if it did.
std::string wrong_end(const process::ExitReport& exit, int expected) {
  if (exit.hung) return fmt::format("it was still running after {} s", kTrialDeadline / 1s);
  if (exit.signal != 0) return fmt::format("it died of signal {}", exit.signal);
  if (exit.code == expected) return "";
  return fmt::format("it ended with exit code {}, expected {}{}", exit.code, expected,
                     exit.stderr_tail.empty() ? "" : "; its stderr: " + exit.stderr_tail.substr(0, 300));
}

class SelfTest {
 public:
  SelfTest(const process::Command& command, const fs::path& folder)
      : command_(command), scenarios_(folder / "scenarios.json"), trace_(folder / "trace.ndjson") {}

  Expected<int> run() {
    for (const auto& step :
         {describe(), refuse("a verb nobody knows", R"([{"verb": "dance", "label": "d"}])", ""),
          refuse("a key nobody knows", R"([{"verb": "tick", "label": "t", "colour": 1}])", ""),
          refuse("a file that is no JSON", "", "{")}) {
      if (!step) return std::unexpected(step.error());
    }
    for (const ProtocolCase& one : conformance::protocol_cases()) {
      if (auto played = play(one); !played) return std::unexpected(played.error());
    }
    fmt::print("\n{} as the protocol wants it, {} unsupported, {} to mend\n", good_, unsupported_, bad_);
    if (bad_ == 0) fmt::print("Next: give it a folder in baselines/, and ask it for the rules.\n");
    return bad_ == 0 ? kOk : kFinding;
  }

 private:
  void tell(std::string_view name, std::string_view says, const std::vector<std::string>& complaints,
            const std::string& unsupported = "") {
    const bool fine = complaints.empty();
    (!fine ? bad_ : unsupported.empty() ? good_ : unsupported_) += 1;
    fmt::print("{:<5} {:<24} {}\n",
               !fine                 ? "MEND"
               : unsupported.empty() ? "ok"
                                     : "-",
               name, unsupported.empty() ? says : "unsupported: " + unsupported);
    for (const std::string& sentence : complaints) fmt::print("      {}\n", sentence);
  }

  Expected<process::RunOutput> start(std::vector<std::string> arguments) const {
    process::Command command = command_;
    command.insert(command.end(), arguments.begin(), arguments.end());
    process::RunOptions options;
    options.deadline = kTrialDeadline;
    return process::run_once(command, options);
  }

  Expected<process::RunOutput> start_player(const std::string& document) const {
    std::error_code ignored;
    fs::remove(trace_, ignored);
    std::ofstream file(scenarios_, std::ios::trunc);
    file << document << '\n';
    file.close();
    if (!file)
      return environment_error(fmt::format("cannot write {}: is the disk full?", scenarios_.string()));
    return start({"play", "--scenarios", scenarios_.string(), "--trace", trace_.string()});
  }

  Expected<void> describe() {
    const auto done = start({"describe"});
    if (!done) return std::unexpected(done.error());
    std::vector<std::string> complaints;
    if (auto wrong = wrong_end(done->exit, 0); !wrong.empty()) complaints.push_back(wrong);
    const nlohmann::json said = nlohmann::json::parse(done->out, nullptr, false);
    if (!said.is_object()) {
      complaints.emplace_back("stdout is not one JSON object");
    } else {
      if (!said.value("name", nlohmann::json()).is_string())
        complaints.emplace_back("\"name\" is missing: the subject's name");
      if (!said.value("versions", nlohmann::json()).is_object() || said["versions"].empty())
        complaints.emplace_back(
            "\"versions\" must name at least one component and its version: {\"mine\": \"1.0\"}");
      const nlohmann::json features = said.value("features", nlohmann::json::array());
      if (std::find(features.begin(), features.end(), "play") == features.end())
        complaints.emplace_back("\"features\" must contain \"play\": without it no rule is asked");
    }
    tell("describe", "says what it is", complaints);
    return {};
  }

  /// A document with these steps, or this text, which must be refused.
  Expected<void> refuse(std::string_view what, std::string_view steps, std::string text) {
    if (!steps.empty()) {
      const ProtocolCase bad{.id = "self_test/refused_file", .says = what, .run = "", .steps = steps};
      text = conformance::protocol_document(bad, 1).dump();
    }
    const auto done = start_player(text);
    if (!done) return std::unexpected(done.error());
    std::vector<std::string> complaints;
    if (auto wrong = wrong_end(done->exit, 2); !wrong.empty()) complaints.push_back(wrong);
    const std::string& err = done->exit.stderr_tail;
    if (std::ranges::count(err, '\n') != 1)
      complaints.push_back(fmt::format("stderr has {} lines; expected one sentence that says what is wrong",
                                       std::ranges::count(err, '\n')));
    tell("refuses", what, complaints);
    return {};
  }

  Expected<void> play(const ProtocolCase& one) {
    const auto done = start_player(conformance::protocol_document(one, kTrialRuns).dump());
    if (!done) return std::unexpected(done.error());
    std::ifstream trace(trace_);
    ProtocolReport report = conformance::check_protocol(one, kTrialRuns, trace);
    if (auto wrong = wrong_end(done->exit, 0); !wrong.empty())
      report.complaints.insert(report.complaints.begin(), wrong);
    tell(one.id, one.says, report.complaints, report.unsupported);
    return {};
  }

  const process::Command& command_;
  fs::path scenarios_, trace_;
  unsigned good_ = 0, bad_ = 0, unsupported_ = 0;
};

}  // namespace

Expected<int> self_test(const process::Command& command) {
  if (command.empty())
    return usage_error("--self-test needs the player's command: tickmark conform --self-test -- COMMAND...");
  auto scratch = run::Scratch::create();
  if (!scratch) return std::unexpected(scratch.error());
  return SelfTest(command, scratch->folder()).run();
}

}  // namespace tickmark::cli
