// Two entangled ports: what is posted at one is called back at the other, which may belong to another loop on
// another thread of the process.
//
//   auto [near, far] = refloop::make_port_pair();
//   refloop::MessagePort port(loop, std::move(near));         // `far` goes to the other thread
//   port.start([](refloop::MessagePort&, refloop::Message message) { ... }, nullptr);
//
// Guaranteed, per port: messages arrive in the order of the posts, each once, each in a callback of its own
// in the poll phase, behind which the layer above drains (ticks and microtasks run between two messages).
// What a thread wrote before post() is visible in the callback. When one port is closed, everything it
// posted before is still delivered, then `on_end` of the other runs once, and nothing after it.
// Not guaranteed: any order among different ports, or between a port and other events of its loop.
//
// Refused: post() after either end was closed. Of one's own port nothing is called back after close(), and
// messages that wait for it are destroyed. A port that is never read grows without limit: who posts has to
// know that somebody reads. A flood does not starve a loop: at most kMessagesPerTurn per port and turn.
//
// A port keeps its loop alive from start() until close() or the end, unless unref()ed. It must be used on
// its loop's thread; PortEnd may be moved to any.
#pragma once

#include <deque>
#include <memory>
#include <utility>

#include "reference-loop/async.h"
#include "reference-loop/message.h"

namespace refloop {

class MessagePort;
class PortChannel;

// An end without a loop yet; what is posted to it waits. Destroyed without a port it is closed.
class PortEnd {
 public:
  PortEnd() = default;
  PortEnd(PortEnd&& other) noexcept = default;
  PortEnd& operator=(PortEnd&& other) noexcept;
  ~PortEnd();
  explicit operator bool() const { return channel_ != nullptr; }

 private:
  friend class MessagePort;
  friend std::pair<PortEnd, PortEnd> make_port_pair();

  PortEnd(std::shared_ptr<PortChannel> channel, int side) : channel_(std::move(channel)), side_(side) {}
  void close();

  std::shared_ptr<PortChannel> channel_;
  int side_ = 0;
};

std::pair<PortEnd, PortEnd> make_port_pair();

class MessagePort : public Async {
 public:
  using MessageCallback = void (*)(MessagePort&, Message message);
  using EndCallback = void (*)(MessagePort&);  // the peer was closed; this port still has to be

  MessagePort(Loop& loop, PortEnd end);
  ~MessagePort() override;

  // Delivers from here on what has been posted and what will be. `on_end` may be null. Error::bad_state once
  // closing or started.
  Result<void> start(MessageCallback on_message, EndCallback on_end);
  // Error::broken_pipe once the peer is closed, Error::bad_state once this port is: the message is still the
  // caller's then.
  Result<void> post(Message&& message);

 private:
  void begin_close() override;
  void woken() override;
  bool refill();
  void deliver_front();
  void deliver_end();

  const std::shared_ptr<PortChannel> channel_;
  const int side_;
  MessageCallback on_message_ = nullptr;
  EndCallback on_end_ = nullptr;
  struct Arrived;
  std::unique_ptr<Arrived> arrived_;  // taken out of the channel, not yet delivered
  bool started_ = false;
  bool ended_ = false;
};

}  // namespace refloop
