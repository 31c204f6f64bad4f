#include "reference-loop/message_port.h"

#include <array>
#include <cassert>
#include <mutex>

#include "reference-loop/limits.h"

namespace refloop {

// What both ends share. The lock is held for a push or a swap, and for the wake-up of a port that has
// nothing left to deliver: it keeps the port from going away under it.
class PortChannel {
 public:
  struct Posted {
    Message message;
    Nanos time{};  // for the trace of who receives it
    std::int32_t thread = 0;
  };
  using Queue = std::deque<Posted>;

  void attach(int side, MessagePort& port) {
    const std::lock_guard lock(mutex_);
    sides_[side].port = &port;
  }

  // Takes what is posted. False: the other side is closed, and nothing was taken.
  bool post(int side, Posted& posted) {
    const std::lock_guard lock(mutex_);
    Side& target = sides_[1 - side];
    if (target.closed) return false;
    target.queue.push_back(std::move(posted));
    const bool is_first = target.queue.size() == 1;
    if (is_first && target.port) target.port->send();
    return true;
  }

  // Takes everything that waits for `side`; true if the other side is closed, so that nothing will follow.
  bool take(int side, Queue& into) {
    const std::lock_guard lock(mutex_);
    into.swap(sides_[side].queue);
    return sides_[1 - side].closed;
  }

  void close(int side) {
    Queue dropped;  // destroyed outside of the lock: a message may hold an end of this very channel
    const std::lock_guard lock(mutex_);
    Side& own = sides_[side];
    own.closed = true;
    own.port = nullptr;
    own.queue.swap(dropped);
    if (MessagePort* peer = sides_[1 - side].port) peer->send();
  }

 private:
  struct Side {
    MessagePort* port = nullptr;  // null: not attached yet, or closed
    Queue queue;                  // posted to this side
    bool closed = false;
  };

  std::mutex mutex_;
  std::array<Side, 2> sides_;
};

struct MessagePort::Arrived {
  PortChannel::Queue queue;
  bool is_last = false;  // the peer is closed, and behind these nothing comes
};

std::pair<PortEnd, PortEnd> make_port_pair() {
  auto channel = std::make_shared<PortChannel>();
  return {PortEnd(channel, 0), PortEnd(channel, 1)};
}

PortEnd& PortEnd::operator=(PortEnd&& other) noexcept {
  if (this == &other) return *this;
  close();
  channel_ = std::move(other.channel_);
  side_ = other.side_;
  return *this;
}

PortEnd::~PortEnd() { close(); }

void PortEnd::close() {
  if (channel_) channel_->close(side_);
  channel_.reset();
}

MessagePort::MessagePort(Loop& loop, PortEnd end)
    : Async(loop, Kind::message),
      channel_(std::move(end.channel_)),
      side_(end.side_),
      arrived_(std::make_unique<Arrived>()) {
  assert(channel_ && "a port needs an end");
  channel_->attach(side_, *this);
}

MessagePort::~MessagePort() { assert(is_closing() && "a port must be closed before it is destroyed"); }

Result<void> MessagePort::start(MessageCallback on_message, EndCallback on_end) {
  if (is_closing() || started_ || !on_message) return failure(Error::bad_state);
  on_message_ = on_message;
  on_end_ = on_end;
  started_ = true;
  activate();
  send();  // for what is there already
  return {};
}

Result<void> MessagePort::post(Message&& message) {
  if (is_closing()) return failure(Error::bad_state);
  PortChannel::Posted posted{std::move(message), loop_.read_clock(), loop_.current_thread()};
  if (channel_->post(side_, posted)) return {};
  message = std::move(posted.message);
  return failure(Error::broken_pipe);
}

// A batch per turn; for the rest the loop is woken again, behind everybody else's turn.
void MessagePort::woken() {
  if (!started_ || ended_) return;
  for (int delivered = 0; !is_closing() && refill(); ++delivered) {
    if (delivered == kMessagesPerTurn) return send();
    deliver_front();
  }
  if (!is_closing() && arrived_->is_last) deliver_end();
}

// False: nothing is left to deliver.
bool MessagePort::refill() {
  if (arrived_->queue.empty() && !arrived_->is_last)
    arrived_->is_last = channel_->take(side_, arrived_->queue);
  return !arrived_->queue.empty();
}

void MessagePort::deliver_front() {
  PortChannel::Posted posted = std::move(arrived_->queue.front());
  arrived_->queue.pop_front();
  if (loop_.tracing()) {
    tag_.id = loop_.next_trace_id();
    loop_.trace_foreign(Event::schedule, Kind::message, tag_, posted.time, posted.thread);
  }
  loop_.invoke(kind_, tag_, [&] { on_message_(*this, std::move(posted.message)); });
}

void MessagePort::deliver_end() {
  ended_ = true;
  deactivate();
  if (!on_end_) return;
  TraceTag tag{0, label()};
  loop_.trace_schedule(Kind::port_end, tag);
  loop_.invoke(Kind::port_end, tag, [this] { on_end_(*this); });
}

void MessagePort::begin_close() {
  channel_->close(side_);
  Async::begin_close();
  arrived_->queue.clear();
}

}  // namespace refloop
