#include "harness/cli/run_identity.h"

#include <fmt/format.h>
#include <time.h>

#include "harness/cli/build_identity.h"
#include "harness/process/machine.h"

namespace tickmark::cli {

output::Json tool_document() {
  return {{"name", "tickmark"},
          {"version", "0.1.0"},
          {"git", build_commit()},
          {"build_type", process::build_type()},
          {"compiler", "g++ " __VERSION__}};
}

std::string default_output(const std::string& what) {
  const time_t t = time(nullptr);
  char stamp[32];
  tm utc{};
  strftime(stamp, sizeof stamp, "%Y%m%d-%H%M%S", gmtime_r(&t, &utc));
  return fmt::format("tickmark-results/{}-{}", stamp, what);
}

}  // namespace tickmark::cli
