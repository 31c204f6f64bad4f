// A worker's side of a cluster (cluster.h): runs in the forked process, on the worker's own loop.
#pragma once

#include <cstddef>
#include <functional>
#include <string_view>

#include "reference-loop/address.h"
#include "reference-loop/cluster_channel.h"
#include "reference-loop/listener.h"
#include "reference-loop/loop.h"
#include "reference-loop/poll.h"

namespace refloop {

enum class PortSharing : std::uint8_t { reuse_port, hand_off };

class ClusterWorker {
 public:
  using ConnectionCallback = std::move_only_function<void(Socket socket)>;

  ClusterWorker(Loop& loop, std::size_t index, Socket channel, PortSharing sharing, const Address& address);
  ClusterWorker(const ClusterWorker&) = delete;
  ClusterWorker& operator=(const ClusterWorker&) = delete;

  Loop& loop() const { return loop_; }
  std::size_t index() const { return index_; }  // from 0; a restarted worker keeps its predecessor's

  // Before all else, by the cluster: listens to the supervisor, who hears that we are online.
  Result<void> start();

  // Connections, from now on, whichever way the port is shared; the supervisor hears that we listen. Error:
  // what the kernel says to listen(). Once.
  Result<void> serve(ConnectionCallback on_connection);

  // The supervisor wants us to end, or is gone: no connection comes any more, the channel does not hold the
  // loop. Finish what is open and let the loop run empty; the supervisor's deadline is running.
  std::move_only_function<void()> on_stop;
  // The same, of our own accord; on_stop is not called.
  void leave();

  // To the supervisor, in order, also after on_stop: up to 64 KiB. Waits while the channel is full.
  Result<void> send(std::string_view message) {
    return send_packet(channel_, ChannelSend::waits, ClusterPacket::Kind::message, message);
  }

 private:
  void on_channel();

  Loop& loop_;
  const std::size_t index_;
  const Socket channel_;
  const PortSharing sharing_;
  const Address address_;
  Poll poll_;
  Listener listener_;
  ConnectionCallback on_connection_;
};

}  // namespace refloop
