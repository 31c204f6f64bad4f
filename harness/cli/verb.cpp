#include "harness/cli/verb.h"

namespace tickmark::cli {

CLI::App* add_verb(CLI::App& app, Invocation& invocation, const std::string& name, const std::string& says,
                   std::function<Expected<int>()> action) {
  CLI::App* verb = app.add_subcommand(name, says);
  verb->add_flag("--json", invocation.json, "print one JSON document on stdout");
  verb->callback([&invocation, action = std::move(action)] { invocation.action = action; });
  return verb;
}

}  // namespace tickmark::cli
