// The reference loop's player alone: what the tests of this folder and the mutants are.
#include "conformance/players/play_arguments.h"
#include "conformance/players/refloop_player.h"

int main(int argc, char** argv) {
  using namespace tickmark::conformance;
  return reference::play(parse_play_arguments(argc, argv), {});
}
