#include "conformance/players/asio_machine.h"

#include <concepts>

#include "conformance/players/player.h"

namespace tickmark::conformance {

namespace {

constexpr size_t kReadBytes = 64 * 1024;

std::string_view status_name(const asio::error_code& error) {
  if (!error) return "";
  if (error == asio::error::operation_aborted) return "canceled";
  return error == asio::error::connection_refused ? "refused" : "error";
}

asio::ip::tcp::endpoint loopback(uint16_t port) { return {asio::ip::address_v4::loopback(), port}; }

}  // namespace

AsioMachine::AsioMachine(Recorder& recorder, asio::io_context* shared)
    : Machine(recorder),
      alone_(shared == nullptr ? std::make_unique<asio::io_context>(1) : nullptr),
      context_(shared == nullptr ? *alone_ : *shared) {}

AsioMachine::~AsioMachine() {
  if (alone_) return;
  for (const auto& made : items_) {
    const ItemPointer item = made.lock();
    if (item && item->timer) item->timer->cancel();
    asio::error_code ignored;
    if (item && item->socket) item->socket->close(ignored);
  }
  context_.restart();
  run_own_work();
}

template <typename Handler>
auto AsioMachine::own(Handler handler) {
  ++own_work_;
  // Asio asks what a handler can take before it chooses a signature.
  return [ this, handler ]<typename... Results>
  requires std::invocable<const Handler&, const Results&...>(const Results&... results) {
    handler(results...);
    --own_work_;
  };
}

void AsioMachine::run_own_work() {
  while (own_work_ > 0 && !context_.stopped()) context_.run_one();
}

std::optional<std::string> AsioMachine::lacks(const Step& step) {
  switch (step.verb) {
    case Verb::executor_post:
    case Verb::executor_dispatch:
    case Verb::steady_timer:
    case Verb::cancel_wait:
    case Verb::tcp_pair:
    case Verb::connect:
    case Verb::write:
    case Verb::read:
    case Verb::socket_close:
    case Verb::busy:
    case Verb::busy_until_overdue:
    case Verb::stop_loop:
      return std::nullopt;
    case Verb::timer:
    case Verb::timeout:
    case Verb::interval:
      return "Asio's timers count from the call and promise other things: the verb steady_timer";
    case Verb::close:
      return "Asio closes a socket without a callback: the verb socket_close";
    case Verb::work:
      return "Asio's thread_pool is an executor of its own, whose handlers run on its threads";
    default:
      return "Asio has nothing of the kind";
  }
}

AsioMachine::ItemPointer AsioMachine::make(const Step& step, const std::string& name) {
  auto item = std::make_shared<Item>();
  item->step = &step;
  names_[name] = item;
  items_.push_back(item);
  return item;
}

AsioMachine::ItemPointer AsioMachine::find(const std::string& name) {
  const auto found = names_.find(name);
  if (found == names_.end()) refuse(name);
  return found->second;
}

// Without work an io_context counts as stopped, and has to be restarted for the next turn. A shared one
// always has work.
bool AsioMachine::turn(TurnMode mode) {
  context_.restart();
  if (mode == TurnMode::nowait)
    context_.poll();
  else if (mode == TurnMode::once)
    context_.run_one();
  else if (alone_)
    context_.run();
  else
    run_own_work();
  return !context_.stopped() && own_work_ > 0;
}

std::string_view AsioMachine::perform(const Step& step) {
  switch (step.verb) {
    case Verb::executor_post:
      if (step.strand)
        asio::post(strand_, own([this, &step] { fire(step); }));
      else
        asio::post(context_, own([this, &step] { fire(step); }));
      return "";
    case Verb::executor_dispatch:
      asio::dispatch(context_, own([this, &step] { fire(step); }));
      return "";
    case Verb::steady_timer:
      start_timer(step);
      return "";
    case Verb::tcp_pair:
      start_pair(step);
      return "";
    case Verb::connect:
      start_connect(step);
      return "";
    case Verb::write:
      start_write(step);
      return "";
    case Verb::read: {
      const ItemPointer item = find(step.on);
      item->reader = &step;
      start_read(item);
      return "";
    }
    case Verb::cancel_wait:
      find(step.target)->timer->cancel();
      return "ok";
    case Verb::socket_close:
      find(step.target)->socket->close();
      return "ok";
    case Verb::stop_loop:
      context_.stop();
      return "ok";
    default:
      refuse(name_of(step.verb));
  }
}

void AsioMachine::start_timer(const Step& step) {
  const ItemPointer item = make(step, step.label);
  item->timer.emplace(context_);
  item->timer->expires_after(std::chrono::milliseconds(step.ms));
  item->timer->async_wait(
      own([this, item](const asio::error_code& error) { fire(*item->step, status_name(error)); }));
}

void AsioMachine::start_connect(const Step& step) {
  const ItemPointer item = make(step, step.label);
  item->socket.emplace(context_);
  item->socket->async_connect(
      loopback(step.refused ? refusing_port() : sink_port()),
      own([this, item](const asio::error_code& error) { fire(*item->step, status_name(error)); }));
}

void AsioMachine::start_pair(const Step& step) {
  auto pair =
      std::make_shared<Pair>(Pair{make(step, step.label + ".client"), make(step, step.label + ".server"),
                                  asio::ip::tcp::acceptor(context_, loopback(0))});
  const auto is_up = [this, pair, &step](const asio::error_code& error) {
    if (!error && --pair->missing == 0) fire(step);
  };
  pair->client->socket.emplace(context_);
  pair->server->socket.emplace(context_);
  pair->acceptor.async_accept(*pair->server->socket, own(is_up));
  pair->client->socket->async_connect(pair->acceptor.local_endpoint(), own(is_up));
}

void AsioMachine::start_write(const Step& step) {
  const ItemPointer on = find(step.on);
  auto bytes = std::make_shared<std::string>(static_cast<size_t>(step.bytes), '\0');
  fill_pattern(bytes->data(), bytes->size(), on->bytes_written);
  on->bytes_written += bytes->size();
  asio::async_write(*on->socket, asio::buffer(*bytes),
                    own([this, on, bytes, &step](const asio::error_code& error, size_t) {
                      fire(step, status_name(error));
                    }));
}

void AsioMachine::start_read(const ItemPointer& item) {
  item->buffer.resize(kReadBytes);
  item->socket->async_read_some(
      asio::buffer(item->buffer), own([this, item](const asio::error_code& error, size_t size) {
        if (error) return fire_eof(*item->reader, error == asio::error::eof ? "" : status_name(error));
        const bool right = is_pattern(item->buffer.data(), size, item->bytes_read);
        item->bytes_read += size;
        fire(*item->reader, right ? "" : "wrong_bytes", static_cast<long>(size));
        if (item->socket->is_open()) start_read(item);
      }));
}

}  // namespace tickmark::conformance
