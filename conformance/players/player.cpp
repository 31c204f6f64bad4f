#include "conformance/players/player.h"

#include <cstdio>
#include <filesystem>
#include <signal.h>
#include <unistd.h>

#include "conformance/players/watchdog.h"

namespace tickmark::conformance {

namespace {

struct Lack {
  Verb verb;
  std::string reason;
};

std::optional<Lack> find_lack(const std::vector<Step>& steps, const PlayerTraits& traits) {
  for (const Step& step : steps) {
    if (auto reason = traits.lacks(step)) return Lack{step.verb, std::move(*reason)};
    for (const auto* nested : {&step.then, &step.eof_then}) {
      if (auto lack = find_lack(*nested, traits)) return lack;
    }
    for (const auto& [number, nested] : step.at) {
      if (auto lack = find_lack(nested, traits)) return lack;
    }
  }
  return std::nullopt;
}

std::optional<Lack> find_lack(const Scenario& scenario, const PlayerTraits& traits) {
  if (auto lack = find_lack(scenario.steps, traits)) return lack;
  for (const Turn& turn : scenario.turns) {
    if (auto lack = find_lack(turn.before, traits)) return lack;
  }
  return std::nullopt;
}

}  // namespace

int play_scenarios(const ScenarioFile& file, const std::filesystem::path& trace, const PlayerTraits& traits) {
  auto recorder = Recorder::open(trace, traits.name, file.pool);
  if (!recorder) {
    std::fprintf(stderr, "%s\n", recorder.error().message.c_str());
    return 2;
  }
  if (traits.clock) recorder->set_clock(traits.clock);
  signal(SIGPIPE, SIG_IGN);
  Watchdog watchdog(*recorder);
  for (const Scenario& scenario : file.scenarios) {
    if (const auto lack = find_lack(scenario, traits)) {
      recorder->unsupported(scenario.id, name_of(lack->verb), lack->reason);
      continue;
    }
    for (unsigned run = 0; run < file.repeat; ++run) {
      watchdog.arm(file.deadline);
      {
        recorder->start(scenario.id, run);  // before the loop exists: its first time is not earlier
        const auto machine = traits.make_machine(*recorder);
        machine->play(scenario);
      }
      watchdog.disarm();
      if (!recorder->finish()) {
        std::fprintf(stderr, "cannot write the trace %s: is the disk full?\n", trace.c_str());
        return 3;
      }
    }
  }
  return 0;
}

std::string fresh_socket_path() {
  static unsigned count = 0;
  const std::string name = "tickmark-" + std::to_string(getpid()) + "-" + std::to_string(++count) + ".socket";
  return (std::filesystem::temp_directory_path() / name).string();
}

void fill_pattern(char* into, size_t size, uint64_t offset) {
  for (size_t i = 0; i < size; ++i) into[i] = static_cast<char>((offset + i) % 251);
}

bool is_pattern(const char* bytes, size_t size, uint64_t offset) {
  for (size_t i = 0; i < size; ++i) {
    if (bytes[i] != static_cast<char>((offset + i) % 251)) return false;
  }
  return true;
}

}  // namespace tickmark::conformance
