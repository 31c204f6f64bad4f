// The Asio player alone, for the tests of this folder.
#include "conformance/players/asio_player.h"
#include "conformance/players/play_arguments.h"

int main(int argc, char** argv) {
  return tickmark::conformance::asio_player::play(tickmark::conformance::parse_play_arguments(argc, argv));
}
