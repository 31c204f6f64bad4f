#include "conformance/players/refloop_player.h"

#include <cstdio>

#include "conformance/players/background_play.h"
#include "conformance/players/player.h"
#include "conformance/players/refloop_machine.h"

namespace tickmark::conformance::reference {

int play(const subject::PlayRequest& request, const StartServer& start_server) {
  const auto file = read_scenario_file(request.scenarios);
  if (!file) {
    std::fprintf(stderr, "%s\n", file.error().message.c_str());
    return 2;
  }
  if (file->is_background) return play_background(*file, request, start_server);
  if (!request.serve.empty()) {
    std::fprintf(stderr, "--serve %s needs a scenario file of kind background\n", request.serve.c_str());
    return 2;
  }
  const PlayerTraits traits{
      .name = "reference_loop",
      .lacks = [](const Step&) { return std::nullopt; },
      .make_machine =
          [&](Recorder& recorder) { return std::make_unique<RefloopMachine>(recorder, file->pool); }};
  return play_scenarios(*file, request.trace, traits);
}

}  // namespace tickmark::conformance::reference
