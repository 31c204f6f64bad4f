#include "conformance/players/refloop_player.h"

#include <cstdio>

#include "conformance/players/background_play.h"
#include "conformance/players/player.h"
#include "conformance/players/refloop_machine.h"
#include "conformance/players/virtual_time.h"

namespace tickmark::conformance::reference {

namespace {

PlayerTraits in_real_time(refloop::BackendKind backend, unsigned pool) {
  return {.name = "reference_loop",
          .lacks = [](const Step&) { return std::nullopt; },
          .make_machine = [=](Recorder& recorder) -> std::unique_ptr<Machine> {
            return std::make_unique<RefloopMachine>(
                recorder, refloop::LoopOptions{.backend = backend, .pool_size = pool});
          }};
}

PlayerTraits in_virtual_time(VirtualTime& time, unsigned pool) {
  PlayerTraits traits = in_real_time(refloop::BackendKind::simulated, pool);
  traits.make_machine = [&time, pool](Recorder& recorder) -> std::unique_ptr<Machine> {
    return std::make_unique<RefloopMachine>(recorder,
                                            refloop::LoopOptions{.backend = refloop::BackendKind::simulated,
                                                                 .pool_size = pool,
                                                                 .simulation = &time.next(recorder)});
  };
  traits.clock = [&time] { return time.now(); };
  return traits;
}

int refuse(const std::string& sentence) {
  std::fprintf(stderr, "%s\n", sentence.c_str());
  return 2;
}

}  // namespace

int play(const subject::PlayRequest& request, const StartServer& start_server, refloop::BackendKind backend) {
  const auto file = read_scenario_file(request.scenarios);
  if (!file) return refuse(file.error().message);
  const auto virtual_time = virtual_time_option(request.options);
  if (!virtual_time) return refuse(virtual_time.error().message);
  if (file->is_background) {
    if (*virtual_time) return refuse("option time=virtual: a background program runs beside real sockets");
    return play_background(*file, request, start_server, backend);
  }
  if (!request.serve.empty())
    return refuse("--serve " + request.serve + " needs a scenario file of kind background");
  return play_scenarios(
      *file, request.trace,
      *virtual_time ? in_virtual_time(**virtual_time, file->pool) : in_real_time(backend, file->pool));
}

}  // namespace tickmark::conformance::reference
