#pragma once
// The unix socket between the cluster's parent and one worker. Down it go accepted sockets (SCM_RIGHTS), and
// its end means stop; up it comes one "listening" message, and at the end the worker's counters.

#include <optional>
#include <string>
#include <utility>

#include "harness/base/error.h"
#include "harness/base/unique_fd.h"

namespace tickmark {

/// Both ends: the parent's, the worker's. Packets keep their boundaries; both block.
Expected<std::pair<UniqueFd, UniqueFd>> make_channel();

/// Gives a copy of `socket` to the other end. False: the other end is gone.
bool send_socket(int channel, int socket);

/// What receive_socket() found.
struct Received {
  UniqueFd socket;     ///< if any
  bool ended = false;  ///< the other end has stopped sending
};
/// The next socket, without waiting: neither is set where none is there yet.
Received receive_socket(int channel);

/// One packet of text. False: the other end is gone.
bool send_text(int channel, const std::string& text);
/// Waits for a packet; nothing when the other end is gone.
std::optional<std::string> receive_text(int channel);

}  // namespace tickmark
