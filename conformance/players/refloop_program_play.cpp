#include "conformance/players/refloop_program_play.h"

#include <charconv>
#include <cstdio>
#include <fstream>
#include <signal.h>
#include <unistd.h>

#include "conformance/players/virtual_program.h"
#include "conformance/programs/file.h"

namespace tickmark::programs {
namespace {

int refuse(const Error& error) {
  std::fprintf(stderr, "%s\n", error.message.c_str());
  return exit_code(error.kind);
}

// SIGALRM's default action ends the process wherever it hangs; the runs before that are written.
void set_alarm(Nanos deadline) {
  ::alarm(static_cast<unsigned>(deadline / 1s) + (deadline > Nanos{0} ? 1 : 0));
}

Expected<std::optional<uint64_t>> virtual_seed(const Parameters& options) {
  const auto time = options.find("time");
  if (time == options.end() || time->second == "real") return std::nullopt;
  if (time->second != "virtual")
    return usage_error("option time=" + time->second + ": expected one of real, virtual");
  uint64_t seed = 1;
  if (const auto given = options.find("seed"); given != options.end()) {
    const std::string& text = given->second;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seed);
    if (error != std::errc() || end != text.data() + text.size())
      return usage_error("option seed=" + text + ": expected a whole number");
  }
  return seed;
}

// A fresh loop for each: what is judged may be broken, and must not spoil the next.
std::string play_one(const Program& program, std::optional<uint64_t> seed, refloop::BackendKind backend) {
  if (seed) {
    VirtualProgram player(*seed);
    player.note_times(true);
    return to_json_line(player.play(program));
  }
  const auto loop = refloop::Loop::create({.backend = backend}).value();
  RefloopProgram player(*loop);
  player.note_times(true);
  return to_json_line(player.play(program));
}

}  // namespace

int play_programs(const subject::PlayRequest& request, refloop::BackendKind backend) {
  const auto file = read_programs(request.scenarios);
  if (!file) return refuse(file.error());
  const auto seed = virtual_seed(request.options);
  if (!seed) return refuse(seed.error());
  std::ofstream trace(request.trace);
  trace << runs_header("reference_loop");
  for (const Program& program : file->programs) {
    set_alarm(file->deadline);
    trace << play_one(program, *seed, backend);
    trace.flush();
    set_alarm(Nanos{0});
  }
  if (!trace) return refuse({ErrorKind::kEnvironment, "cannot write the trace: is the disk full?"});
  return 0;
}

}  // namespace tickmark::programs
