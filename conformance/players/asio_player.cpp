#include "conformance/players/asio_player.h"

#include <cstdio>

#include "conformance/players/asio_machine.h"
#include "conformance/players/player.h"

namespace tickmark::conformance::asio_player {

int play(const subject::PlayRequest& request) {
  const auto file = read_scenario_file(request.scenarios);
  if (!file) {
    std::fprintf(stderr, "%s\n", file.error().message.c_str());
    return 2;
  }
  if (file->is_background || !request.serve.empty()) {
    std::fprintf(stderr, "Asio writes no trace of its own: background programs are for the reference loop\n");
    return 2;
  }
  const PlayerTraits traits{
      .name = "asio", .lacks = AsioMachine::lacks, .make_machine = [](Recorder& recorder) {
        return std::make_unique<AsioMachine>(recorder);
      }};
  return play_scenarios(*file, request.trace, traits);
}

}  // namespace tickmark::conformance::asio_player
