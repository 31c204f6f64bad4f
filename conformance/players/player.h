#pragma once
// The outer loop of a native player: file in, every scenario `repeat` times on a fresh machine, trace out.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "conformance/players/machine.h"
#include "conformance/players/recorder.h"
#include "conformance/players/scenario.h"

namespace tickmark::conformance {

struct PlayerTraits {
  std::string_view name;  ///< in the trace's first line
  /// Why the runtime cannot do a verb; nothing when it can.
  std::function<std::optional<std::string>(const Step&)> lacks;
  /// A machine on a loop of its own; ended when destroyed, recorder already silent.
  std::function<std::unique_ptr<Machine>(Recorder&)> make_machine;
  /// Empty: time is real.
  std::function<Nanos()> clock{};
};

/// Exit code of `play`. A run that passes the file's deadline ends the process by SIGALRM, when its last
/// records and the event `hang` have been written (watchdog.h).
int play_scenarios(const ScenarioFile& file, const std::filesystem::path& trace, const PlayerTraits& traits);

/// A loopback TCP server on a thread of its own, never seen by the loop under test: reads and discards,
/// closes at the end of the stream. Lives until the process ends. Port in host order.
uint16_t sink_port();

/// A loopback port nobody listens on, held for the life of the process.
uint16_t refusing_port();

/// A path in the folder for temporary files at which there is no socket yet.
std::string fresh_socket_path();

/// Byte i of one direction of a stream is i % 251.
void fill_pattern(char* into, size_t size, uint64_t offset);
bool is_pattern(const char* bytes, size_t size, uint64_t offset);

}  // namespace tickmark::conformance
