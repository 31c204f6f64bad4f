#include "conformance/players/refloop_player.h"

#include <cstdio>

#include "conformance/players/background_play.h"
#include "conformance/players/player.h"
#include "conformance/players/refloop_live_sockets.h"
#include "conformance/players/refloop_machine.h"
#include "conformance/players/refloop_program_play.h"
#include "conformance/players/virtual_time.h"
#include "conformance/programs/file.h"

namespace tickmark::conformance::reference {

namespace {

PlayerTraits in_real_time(refloop::BackendKind backend, unsigned pool, refloop::MainKind main_kind) {
  return {.name = "reference_loop",
          .lacks = RefloopMachine::lacks,
          .make_machine = [=](Recorder& recorder) -> std::unique_ptr<Machine> {
            return std::make_unique<RefloopMachine>(
                recorder, refloop::LoopOptions{.backend = backend, .pool_size = pool}, main_kind);
          }};
}

PlayerTraits in_virtual_time(VirtualTime& time, unsigned pool, refloop::MainKind main_kind) {
  PlayerTraits traits = in_real_time(refloop::BackendKind::simulated, pool, main_kind);
  traits.lacks = [](const Step& step) -> std::optional<std::string> {
    if (step.verb == Verb::spawn && step.output)
      return "the output of a real child is no part of the simulated network";
    return RefloopMachine::lacks(step);
  };
  traits.make_machine = [=, &time](Recorder& recorder) -> std::unique_ptr<Machine> {
    return std::make_unique<RefloopMachine>(recorder,
                                            refloop::LoopOptions{.backend = refloop::BackendKind::simulated,
                                                                 .pool_size = pool,
                                                                 .simulation = &time.next(recorder)},
                                            main_kind);
  };
  traits.clock = [&time] { return time.now(); };
  return traits;
}

int refuse(const std::string& sentence, int code = 2) {
  std::fprintf(stderr, "%s\n", sentence.c_str());
  return code;
}

// All runs in one loop, in which the sockets are served that the runs are played beside.
int play_under_load(const ScenarioFile& file, const std::filesystem::path& trace,
                    refloop::BackendKind backend, refloop::MainKind main_kind) {
  auto loop = refloop::Loop::create({.backend = backend, .pool_size = file.pool});
  if (!loop) return refuse("cannot create a loop", 3);
  static auto* const sockets = new RefloopLiveSockets(std::move(*loop));  // until the process ends
  if (const auto served = sockets->serve(file.connections); !served) return refuse(served.error().message, 3);
  PlayerTraits traits = in_real_time(backend, file.pool, main_kind);
  traits.make_machine = [=](Recorder& recorder) -> std::unique_ptr<Machine> {
    return std::make_unique<RefloopMachine>(recorder, sockets->loop(), main_kind);
  };
  return play_scenarios(file, trace, traits);
}

}  // namespace

int play(const subject::PlayRequest& request, const StartServer& start_server, refloop::BackendKind backend) {
  if (programs::is_program_file(request.scenarios)) return programs::play_programs(request, backend);
  const auto file = read_scenario_file(request.scenarios);
  if (!file) return refuse(file.error().message);
  const auto virtual_time = virtual_time_option(request.options);
  if (!virtual_time) return refuse(virtual_time.error().message);
  if (file->is_background) {
    if (*virtual_time) return refuse("option time=virtual: a background program runs beside real sockets");
    return play_background(*file, request, start_server, backend);
  }
  // A worker's main is a script like that of a process.
  const auto main_kind = request.mode == "esm" ? refloop::MainKind::module : refloop::MainKind::script;
  if (!request.serve.empty()) {
    if (request.serve != "sockets")
      return refuse("--serve " + request.serve + " needs a scenario file of kind background");
    if (*virtual_time) return refuse("option time=virtual: live sockets are real");
    return play_under_load(*file, request.trace, backend, main_kind);
  }
  return play_scenarios(*file, request.trace,
                        *virtual_time ? in_virtual_time(**virtual_time, file->pool, main_kind)
                                      : in_real_time(backend, file->pool, main_kind));
}

}  // namespace tickmark::conformance::reference
