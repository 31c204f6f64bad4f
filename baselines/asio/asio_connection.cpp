#include "baselines/asio/asio_connection.h"

#include <asio/buffer.hpp>
#include <asio/post.hpp>
#include <asio/write.hpp>
#include <utility>

#include "baselines/asio/asio_server.h"
#include "harness/subject/do_work.h"

namespace tickmark {

AsioConnection::AsioConnection(AsioServer& server, asio::ip::tcp::socket socket)
    : server_(server), socket_(std::move(socket)), link_(&server.connections_), next_(server.connections_) {
  if (next_) next_->link_ = &next_;
  server.connections_ = this;
}

AsioConnection::~AsioConnection() {
  *link_ = next_;
  if (next_) next_->link_ = link_;
}

void AsioConnection::start() {
  std::error_code ignored;
  socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
  session_ = server_.context_.open(*this);
  read();
}

// What to do next, whenever something was done. While a reply is on its way nothing is read, so that a peer
// that only sends is held back.
void AsioConnection::proceed() {
  if (writing_ || !socket_.is_open()) return;
  if (!unsent_.empty()) return write();
  std::error_code ignored;
  if (closing_ && !std::exchange(shut_down_, true)) {
    socket_.shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
  }
  if (ended_ && closing_) return abort();
  if (!ended_ && !reading_) read();
}

void AsioConnection::read() {
  reading_ = true;
  socket_.async_read_some(
      asio::buffer(buffer_),
      [self = shared_from_this()](std::error_code error, size_t count) { self->on_read(error, count); });
}

void AsioConnection::on_read(std::error_code error, size_t count) {
  if (error && error != asio::error::eof) return abort();
  if (error) {
    ended_ = true;
    if (!closing_) session_->on_end();
  } else if (!closing_) {
    session_->on_bytes({buffer_.data(), count});
  }
  reading_ = false;  // not before: the session may close, and its bytes lie in our buffer
  // Once our end is sent, what still comes is read and dropped until the peer ends too, because closing with
  // unread input would reset the connection under replies on their way.
  proceed();
}

void AsioConnection::send(std::string_view bytes) {
  if (closing_ || bytes.empty()) return;
  unsent_.append(bytes);
  if (!writing_) write();
}

void AsioConnection::write() {
  writing_ = true;
  sending_.swap(unsent_);
  asio::async_write(socket_, asio::buffer(sending_),
                    [self = shared_from_this()](std::error_code error, size_t) { self->on_written(error); });
}

void AsioConnection::on_written(std::error_code error) {
  writing_ = false;
  sending_.clear();
  if (error) return abort();
  proceed();
}

void AsioConnection::close() {
  if (std::exchange(closing_, true)) return;
  proceed();
}

void AsioConnection::abort() {
  closing_ = true;
  std::error_code ignored;
  socket_.close(ignored);
}

void AsioConnection::offload(Work work, Then then) {
  auto self = shared_from_this();
  // The guard keeps the loop running until the answer is back.
  asio::post(server_.pool_, [self = std::move(self), work = std::move(work), then = std::move(then),
                             guard = asio::make_work_guard(server_.io_)]() mutable {
    auto& server = self->server_;
    auto outcome = server.stopping_ ? WorkOutcome() : subject::do_work(work);
    asio::post(server.io_, [self = std::move(self), then = std::move(then), outcome = std::move(outcome),
                            guard = std::move(guard)]() mutable {
      if (!self->server_.stopping_) then(std::move(outcome));
    });
  });
}

}  // namespace tickmark
