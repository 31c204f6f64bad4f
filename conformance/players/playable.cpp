#include "conformance/players/playable.h"

#include <cstdio>
#include <fmt/format.h>

namespace tickmark::conformance {

Expected<ScenarioFile> read_playable(const subject::PlayRequest& request, std::string_view title) {
  auto file = read_scenario_file(request.scenarios);
  if (file && (file->is_background || (!request.serve.empty() && request.serve != "sockets"))) {
    return usage_error(
        fmt::format("{} writes no trace of its own: a background program can be judged on the reference loop "
                    "only, and rules be played beside the workload sockets only",
                    title));
  }
  return file;
}

int refuse(const Error& error) {
  std::fprintf(stderr, "%s\n", error.message.c_str());
  return exit_code(error.kind);
}

}  // namespace tickmark::conformance
