// The libuv player alone, for the tests of this folder: libuv_player_main SCENARIOS TRACE, with an optional
// verb `play` and the flags of the subject contract.
#include "conformance/players/libuv_player.h"
#include "conformance/players/play_arguments.h"

int main(int argc, char** argv) {
  return tickmark::conformance::libuv::play(tickmark::conformance::parse_play_arguments(argc, argv));
}
