#include "conformance/players/asio_player.h"

#include "conformance/players/asio_live_sockets.h"
#include "conformance/players/asio_machine.h"
#include "conformance/players/playable.h"
#include "conformance/players/player.h"

namespace tickmark::conformance::asio_player {

int play(const subject::PlayRequest& request) {
  const auto file = read_playable(request, "Asio");
  if (!file) return refuse(file.error());
  asio::io_context* shared = nullptr;
  if (!request.serve.empty()) {
    static auto* const sockets = new AsioLiveSockets();  // for its clients, who stay until the process ends
    if (const auto served = sockets->serve(file->connections); !served) return refuse(served.error());
    shared = &sockets->context();
  }
  const PlayerTraits traits{
      .name = "asio", .lacks = AsioMachine::lacks, .make_machine = [shared](Recorder& recorder) {
        return std::make_unique<AsioMachine>(recorder, shared);
      }};
  return play_scenarios(*file, request.trace, traits);
}

}  // namespace tickmark::conformance::asio_player
