// A UDP socket: bind, connect, send, receive.
//
// Datagrams are delivered in the order the kernel has them, in the poll phase, at most kDatagramsPerBatch per
// socket and batch, so that a flood of them leaves everybody else a turn. Datagrams are sent in the order of
// the calls; send callbacks run in that order, in the pending phase, never inside the call. What the network
// loses, reorders or doubles is not reported. close() ends outstanding sends before its own callback.
#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "reference-loop/address.h"
#include "reference-loop/backend.h"
#include "reference-loop/handle.h"
#include "reference-loop/limits.h"
#include "reference-loop/loop.h"
#include "reference-loop/socket.h"

namespace refloop {

class Udp;

// One datagram on its way out; the caller's memory, like the bytes it points at, until its callback ran.
class DatagramRequest : private ListHook<> {
 public:
  // Error::none: the kernel has it. canceled; or what the kernel said, of this datagram or, on a connected
  // socket, of an earlier one (ECONNREFUSED: nobody listens there); then this one was not sent.
  using Callback = void (*)(DatagramRequest&, Error);

  DatagramRequest() = default;
  void set_label(Label label) { tag_.label = label; }
  Udp* socket() const { return socket_; }  // valid inside the callback

  void* data = nullptr;  // the caller's

 private:
  friend class Udp;
  friend class IntrusiveList<DatagramRequest>;

  Callback done_ = nullptr;
  Udp* socket_ = nullptr;
  Bytes bytes_;
  Address to_;  // family 0: the connected peer
  Error error_ = Error::none;
  TraceTag tag_;
};

struct Datagram {
  Bytes bytes;             // the loop's buffer, until the callback returns
  const Address& from;     // likewise
  bool truncated = false;  // it was larger than the room for one; the rest is lost
};

struct BindOptions {
  bool reuse_address = false;  // several sockets on one port: for multicast, every one gets a copy
  bool reuse_port = false;     // several sockets on one port; the kernel spreads datagrams over them
  bool ipv6_only = false;      // an IPv6 socket takes no IPv4 traffic
};

class Udp : public Handle, private Deferred {
 public:
  using ReceiveCallback = void (*)(Udp&, const Datagram& datagram);
  // Receiving goes on: a connected socket hears here that nobody listens (ECONNREFUSED).
  using ErrorCallback = void (*)(Udp&, Error error);

  explicit Udp(Loop& loop) : Handle(loop, Kind::read) { watch_.udp = this; }
  ~Udp() override { assert(!socket_ && "a socket must be closed before it is destroyed"); }

  Result<void> bind(const Address& address, BindOptions options = {});
  // Datagrams go to and come from `peer` only. Changes the peer if there is one.
  Result<void> connect(const Address& peer);
  Result<void> disconnect();
  // Becomes the owner of an open datagram socket.
  Result<void> adopt(Socket socket);

  // Sends now if the socket has room and nothing waits, else when it has; `callback` reports it, later.
  // `to` is absent on a connected socket and present otherwise: Error::already_connected, not_connected.
  // An unbound socket gets an address of its own.
  Result<void> send(DatagramRequest& request, Bytes bytes, const Address* to,
                    DatagramRequest::Callback callback);
  // Sends now or not at all. Error::again: no room, or it would overtake a datagram that waits.
  Result<void> try_send(Bytes bytes, const Address* to);
  // Given to send(), not yet taken by the kernel.
  std::size_t queued_bytes() const { return queued_bytes_; }
  std::size_t queued_datagrams() const { return queued_datagrams_; }

  // Each datagram gets room for `bytes_max` bytes. Error::not_connected before bind(), connect() or a send.
  Result<void> receive_start(ReceiveCallback on_receive, ErrorCallback on_error,
                             std::size_t bytes_max = kDatagramBytesMax);
  // No callback from here. Datagrams of the same batch are kept for the next receive_start().
  void receive_stop();

  Result<void> set_broadcast(bool on);
  Result<void> set_ttl(int hops);  // 1..255, of unicast datagrams
  Result<void> set_multicast_ttl(int hops);
  Result<void> set_multicast_loop(
      bool on);  // whether our own datagrams come back to this machine; default on
  // Of the group, on the interface with this index (if_nametoindex); 0: the kernel chooses.
  Result<void> join(const Address& group, unsigned interface_index = 0);
  Result<void> leave(const Address& group, unsigned interface_index = 0);

  Result<Address> local_address() const { return Address::local_of(socket_.fd()); }
  Result<Address> peer_address() const { return Address::peer_of(socket_.fd()); }
  int fd() const { return socket_.fd(); }

 private:
  struct Watch : FdWatch {
    Udp* udp = nullptr;
  };
  struct Kept {
    std::vector<std::byte> bytes;
    Address from;
    bool truncated = false;
  };

  void begin_close() override;
  void finish_close() override;
  void deliver_pending() override;

  Result<void> open(int family);
  Result<void> set_option(int level, int name, int value);
  Result<void> set_ip_option(int name_v4, int name_v6, int value);
  Result<void> change_membership(int name, const Address& group, unsigned interface_index);
  Error send_refusal(const Address* to) const;
  Result<void> attempt(Bytes bytes, const Address* to);
  void send_queue();
  void complete_front(Error error);
  void cancel_queue();
  void deliver_sent();

  void ready(std::uint32_t events);
  void receive_batch();
  void deliver(const Datagram& datagram);
  void deliver_kept();
  Result<void> update_interest();

  Watch watch_;
  ReceiveCallback on_receive_ = nullptr;
  ErrorCallback on_error_ = nullptr;
  Socket socket_;
  int family_ = 0;
  bool connected_ = false;
  bool receiving_ = false;
  std::size_t bytes_max_ = 0;
  IntrusiveList<DatagramRequest> queue_;  // the kernel has not taken them
  IntrusiveList<DatagramRequest> sent_;   // callback outstanding
  std::size_t queued_bytes_ = 0;
  std::size_t queued_datagrams_ = 0;
  std::deque<Kept> kept_;
};

}  // namespace refloop
