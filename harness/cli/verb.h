#pragma once
// What the verbs of the command line share. Each verb is one file with one function that declares its
// options and sets what runs; main() lists them.

#include <CLI/CLI.hpp>
#include <functional>
#include <string>

#include "harness/base/error.h"

namespace tickmark::cli {

/// Exit codes, as README.md documents them.
enum ExitCode {
  kOk = 0,
  kFinding = 1,
  kUsage = 2,
  kEnvironment = 3,
  kInconclusive = 4,
  kAllSkipped = 77,
};

/// Filled by the verb that was chosen.
struct Invocation {
  bool json = false;    ///< data on stdout as one JSON document
  std::string command;  ///< the command line as typed, to be repeated
  /// Runs the verb; its value is the exit code.
  std::function<Expected<int>()> action;
};

void add_doctor(CLI::App& app, Invocation& invocation);
void add_list(CLI::App& app, Invocation& invocation);
void add_run(CLI::App& app, Invocation& invocation);
void add_conform(CLI::App& app, Invocation& invocation);
void add_fuzz(CLI::App& app, Invocation& invocation);
void add_compare(CLI::App& app, Invocation& invocation);
void add_history(CLI::App& app, Invocation& invocation);
void add_report(CLI::App& app, Invocation& invocation);
void add_load(CLI::App& app, Invocation& invocation);
void add_serve(CLI::App& app, Invocation& invocation);

/// Adds a verb with --json and --config; `action` runs if it was chosen.
CLI::App* add_verb(CLI::App& app, Invocation& invocation, const std::string& name, const std::string& says,
                   std::function<Expected<int>()> action);

}  // namespace tickmark::cli
