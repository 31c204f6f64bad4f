#pragma once
// What a native player without a trace of its own is asked, and how it refuses: libuv and Asio.

#include <string_view>

#include "conformance/players/scenario.h"
#include "harness/base/error.h"
#include "harness/subject/play.h"

namespace tickmark::conformance {

/// The scenarios, if they can be played alone or beside live sockets; a background program cannot.
Expected<ScenarioFile> read_playable(const subject::PlayRequest& request, std::string_view title);

/// Says it on stderr; the exit code of its kind.
int refuse(const Error& error);

}  // namespace tickmark::conformance
