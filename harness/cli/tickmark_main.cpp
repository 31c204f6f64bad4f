// The tickmark command: flags, then settings, then one verb. Data on stdout, everything else on stderr.

#include <csignal>
#include <cstdio>
#include <fmt/format.h>
#include <unistd.h>

#include "harness/cli/settings.h"
#include "harness/cli/verb.h"

namespace tickmark::cli {
namespace {

constexpr const char* kFooter = R"(
Start here:
  tickmark doctor                     what is here, what would distort results
  tickmark run                        the quick suite on everything installed, with a report
  tickmark run node libuv --workload sockets --connections 5000
  tickmark compare node node:binary=./out/node      has it become slower? 0 no, 1 yes, 4 not known
  tickmark conform node               callback ordering of one runtime
  tickmark fuzz node                  the same by random programs
  tickmark history runs.jsonl         what runs of many days have come to
  tickmark load http://127.0.0.1:8080/ --rate 1000 --connections 50 --duration 6s
Exit codes: 0 done; 1 a finding; 2 usage or configuration; 3 environment; 4 inconclusive;
  77 everything selected was skipped; 130/143 interrupted, what was measured is kept.)";

std::string joined(int argc, char** argv) {
  std::string command = "tickmark";
  for (int i = 1; i < argc; ++i) command += std::string(" ") + argv[i];
  return command;
}

int fail(const Error& error) {
  fmt::print(stderr, "tickmark: {}\n", error.message);
  return exit_code(error.kind);
}

int run(int argc, char** argv) {
  CLI::App app{
      "tickmark measures event loops and concurrency architectures, and checks their callback order."};
  app.footer(kFooter);
  app.require_subcommand(0, 1);
  app.set_version_flag("--version", "tickmark 0.1.0");
  Invocation invocation;
  invocation.command = joined(argc, argv);
  std::string config;
  for (auto add : {add_doctor, add_list, add_run, add_compare, add_conform, add_fuzz, add_report, add_history,
                   add_load, add_serve})
    add(app, invocation);
  for (CLI::App* verb : app.get_subcommands(nullptr)) {
    verb->add_option("--config", config,
                     "configuration file (TOML); default ./tickmark.toml, then the user's");
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);
    return fail({ErrorKind::kUsage, fmt::format("{}; see 'tickmark --help'", error.what())});
  }
  if (app.get_subcommands().empty()) {
    fmt::print("{}", app.help());
    return kOk;
  }
  auto settings = Settings::load(config, environ);
  if (!settings) return fail(settings.error());
  if (auto known = settings->check(app); !known) return fail(known.error());
  if (auto applied = settings->apply(*app.get_subcommands().front()); !applied) return fail(applied.error());
  auto code = invocation.action();
  return code ? *code : fail(code.error());
}

}  // namespace
}  // namespace tickmark::cli

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  return tickmark::cli::run(argc, argv);
}
