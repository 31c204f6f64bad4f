#include "reference-loop/cluster_worker.h"

namespace refloop {

ClusterWorker::ClusterWorker(Loop& loop, std::size_t index, Socket channel, PortSharing sharing,
                             const Address& address)
    : loop_(loop),
      index_(index),
      channel_(std::move(channel)),
      sharing_(sharing),
      address_(address),
      poll_(loop, channel_.fd()),
      listener_(loop) {
  poll_.data = listener_.data = this;
}

Result<void> ClusterWorker::start() {
  const auto started = poll_.start(
      EPOLLIN, [](Poll& poll, std::uint32_t) { static_cast<ClusterWorker*>(poll.data)->on_channel(); });
  if (!started) return started;
  return send_packet(channel_, ChannelSend::waits, ClusterPacket::Kind::online);
}

Result<void> ClusterWorker::serve(ConnectionCallback on_connection) {
  on_connection_ = std::move(on_connection);
  if (sharing_ == PortSharing::reuse_port) {
    const auto listening =
        listener_.listen(address_, {.reuse_port = true}, [](Listener& listener, Socket socket) {
          static_cast<ClusterWorker*>(listener.data)->on_connection_(std::move(socket));
        });
    if (!listening) return listening;
  }
  return send_packet(channel_, ChannelSend::waits, ClusterPacket::Kind::listening);
}

void ClusterWorker::on_channel() {
  constexpr int kPacketsPerTurn = 64;  // a storm of connects must not starve those connected
  for (int i = 0; i < kPacketsPerTurn && !poll_.is_closing(); ++i) {
    Result<ClusterPacket> packet = receive_packet(channel_);
    if (packet) {
      if (packet->socket && on_connection_) on_connection_(std::move(packet->socket));
      continue;
    }
    if (packet.error() != Error::not_connected) return;  // nothing there, or it is there the next time
    leave();
    if (on_stop) on_stop();
  }
}

void ClusterWorker::leave() {
  if (!listener_.is_closing()) listener_.close();
  if (!poll_.is_closing()) poll_.close();
}

}  // namespace refloop
