// The unix socket between a supervisor and one worker: packets that keep their boundaries, some of them with
// a connection in them. The end of one direction means stop (down) or gone (up).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "reference-loop/error.h"
#include "reference-loop/socket.h"

namespace refloop {

inline constexpr std::size_t kClusterMessageBytesMax = 64 * 1024;

struct ClusterPacket {
  enum class Kind : char { connection = 'c', online = 'o', listening = 'l', message = 'm' };

  Kind kind = Kind::message;
  std::string text;
  // Of a connection; empty if this process was out of descriptors: then the client sees a close.
  Socket socket;
};

// Both ends: the supervisor's, the worker's.
Result<std::pair<Socket, Socket>> make_cluster_channel();

enum class ChannelSend : std::uint8_t { waits, at_once };  // for room in the socket; or Error::again

// `connection` is copied into the packet. EMSGSIZE for a text above the limit; Error::broken_pipe if the
// other end is gone. A lack of memory or buffers is no room: Error::again, or a wait of at most a second.
Result<void> send_packet(const Socket& channel, ChannelSend mode, ClusterPacket::Kind kind,
                         std::string_view text = {}, const Socket* connection = nullptr);

// Without waiting. Error::again if there is none yet, Error::no_memory if it could not be taken now and is
// still there, Error::not_connected after the last.
Result<ClusterPacket> receive_packet(const Socket& channel);

}  // namespace refloop
