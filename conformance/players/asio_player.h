#pragma once
// Plays conformance scenarios on Asio: what it has of them, which is little - it promises other things than
// loops with phases do.

#include "harness/subject/play.h"

namespace tickmark::conformance::asio_player {

/// Exit code of `<subject> play`.
int play(const subject::PlayRequest& request);

}  // namespace tickmark::conformance::asio_player
