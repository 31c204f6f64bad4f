#include "harness/process/pinned_runtimes.h"

#include <fmt/format.h>
#include <fstream>
#include <iterator>
#include <sys/utsname.h>

#include "harness/process/paths.h"
#include "harness/process/text.h"

namespace tickmark::process {
namespace fs = std::filesystem;

bool PinnedRuntime::is_here() const { return !find_program(program).empty(); }

std::string PinnedRuntime::fetch_command() const {
  return fmt::format("scripts/fetch-runtimes {}@{}", family, major);
}

Expected<std::vector<PinnedRuntime>> parse_pinned_runtimes(std::string_view text, std::string_view machine,
                                                           const fs::path& root) {
  std::vector<PinnedRuntime> runtimes;
  size_t number = 0;
  for (const std::string_view line : split_lines(text)) {
    ++number;
    if (line.starts_with('#') || trim(line).empty()) continue;
    const auto words = split_words(line);  // name@major, machine, package, version, program, integrity
    const size_t at = words[0].find('@');
    if (words.size() != 6 || at == 0 || at == std::string_view::npos) {
      return environment_error(
          fmt::format("scripts/runtimes.lock: line {}: expected 'runtime@major machine package version "
                      "program integrity'",
                      number));
    }
    if (words[1] != machine) continue;
    PinnedRuntime runtime{std::string(words[0].substr(0, at)), std::string(words[0].substr(at + 1)), {}};
    runtime.program = root / "runtimes" / fmt::format("{}-{}", runtime.family, runtime.major) / words[4];
    runtimes.push_back(std::move(runtime));
  }
  return runtimes;
}

Expected<std::vector<PinnedRuntime>> load_pinned_runtimes(const fs::path& root) {
  std::ifstream file(root / "scripts" / "runtimes.lock");
  if (!file) return std::vector<PinnedRuntime>{};
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  utsname system{};
  ::uname(&system);
  return parse_pinned_runtimes(text, system.machine, root);
}

}  // namespace tickmark::process
