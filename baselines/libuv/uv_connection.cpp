#include "baselines/libuv/uv_connection.h"

#include <cassert>
#include <cstdlib>
#include <cstring>
#include <new>

#include "baselines/libuv/uv_server.h"
#include "harness/subject/do_work.h"

namespace tickmark {
namespace {

// A peer who does not fetch what it asked for is not read from beyond this: as in the reference loop's
// subject.
constexpr size_t kUnsentMax = 1024 * 1024;

}  // namespace

// What uv_write needs until its callback: the request, and the bytes right behind it in the same allocation.
struct UvConnection::Write {
  uv_write_t request;
  size_t size;
  char* bytes() { return reinterpret_cast<char*>(this + 1); }

  static Write* make(std::string_view bytes) {
    auto* write = static_cast<Write*>(std::malloc(sizeof(Write) + bytes.size()));
    if (!write) throw std::bad_alloc();
    write->size = bytes.size();
    std::memcpy(write->bytes(), bytes.data(), bytes.size());
    return write;
  }
};

struct UvConnection::Job {
  uv_work_t request;
  UvConnection& connection;
  Work work;
  Then then;
  WorkOutcome outcome;
};

void UvConnection::accept(UvServer& server, uv_stream_t* listener) {
  auto* connection = new UvConnection(server);  // deletes itself, see delete_if_done()
  uv_tcp_init(&server.loop_, &connection->tcp_);
  connection->next_ = server.connections_;
  connection->link_ = &server.connections_;
  if (connection->next_) connection->next_->link_ = &connection->next_;
  server.connections_ = connection;
  if (uv_accept(listener, connection->stream()) != 0) return connection->abort();
  uv_tcp_nodelay(&connection->tcp_, 1);
  connection->session_ = server.context_.open(*connection);
  connection->start_reading();
}

void UvConnection::start_reading() {
  reading_ = true;
  uv_read_start(
      stream(),
      [](uv_handle_t* handle, size_t, uv_buf_t* buffer) {
        auto& shared = static_cast<UvConnection*>(handle->data)->server_.read_buffer_;
        *buffer = uv_buf_init(shared.data(), static_cast<unsigned>(shared.size()));
      },
      [](uv_stream_t* stream, ssize_t count, const uv_buf_t* buffer) {
        static_cast<UvConnection*>(stream->data)->on_read(count, *buffer);
      });
}

void UvConnection::want_input(bool wanted) {
  wants_input_ = wanted;
  update_reading();
}

// What closes reads on to the peer's end. See close().
void UvConnection::update_reading() {
  if (ended_ || uv_is_closing(reinterpret_cast<uv_handle_t*>(&tcp_))) return;
  const bool wanted = closing_ || (wants_input_ && !clogged_);
  if (wanted == reading_) return;
  if (wanted) return start_reading();
  reading_ = false;
  uv_read_stop(stream());
}

void UvConnection::on_written() {
  if (uv_stream_get_write_queue_size(stream()) > 0) return;
  clogged_ = false;
  if (!closing_) session_->on_drained();
  update_reading();
}

void UvConnection::on_read(ssize_t count, const uv_buf_t& buffer) {
  if (count == 0) return;  // libuv's way to say EAGAIN
  if (count == UV_EOF) {
    ended_ = true;
    uv_read_stop(stream());
    if (closing_) return finish_close();
    return session_->on_end();
  }
  if (count < 0) return abort();
  if (!closing_) session_->on_bytes({buffer.base, static_cast<size_t>(count)});
}

void UvConnection::send(std::string_view bytes) {
  if (closing_ || bytes.empty()) return;
  if (server_.try_write_ && uv_stream_get_write_queue_size(stream()) == 0) {
    const uv_buf_t buffer = uv_buf_init(const_cast<char*>(bytes.data()), static_cast<unsigned>(bytes.size()));
    const int sent = uv_try_write(stream(), &buffer, 1);
    if (sent < 0 && sent != UV_EAGAIN) return abort();
    if (sent > 0) bytes.remove_prefix(static_cast<size_t>(sent));
    if (bytes.empty()) return;
  }
  queue(bytes);
}

void UvConnection::queue(std::string_view bytes) {
  Write* write = Write::make(bytes);
  const uv_buf_t buffer = uv_buf_init(write->bytes(), static_cast<unsigned>(write->size));
  const int error = uv_write(&write->request, stream(), &buffer, 1, [](uv_write_t* request, int status) {
    auto* connection = static_cast<UvConnection*>(request->handle->data);
    std::free(reinterpret_cast<Write*>(request));
    status < 0 ? connection->abort() : connection->on_written();
  });
  if (error != 0) {
    std::free(write);
    return abort();
  }
  if (uv_stream_get_write_queue_size(stream()) <= kUnsentMax) return;
  clogged_ = true;
  update_reading();
}

// First the end of what we send; what the peer still sends is read and dropped until it ends too, because
// closing with unread input would reset the connection under replies on their way.
void UvConnection::close() {
  if (closing_) return;
  closing_ = true;
  update_reading();
  if (ended_ && uv_stream_get_write_queue_size(stream()) == 0) return abort();
  auto* request = new uv_shutdown_t;
  const int error = uv_shutdown(request, stream(), [](uv_shutdown_t* done, int) {
    auto* connection = static_cast<UvConnection*>(done->handle->data);
    delete done;
    if (connection->ended_) connection->abort();
  });
  if (error == 0) return;
  delete request;
  abort();
}

// The peer ended while our own end may still be on its way.
void UvConnection::finish_close() {
  if (uv_stream_get_write_queue_size(stream()) == 0) abort();
}

void UvConnection::abort() {
  closing_ = true;
  auto* handle = reinterpret_cast<uv_handle_t*>(&tcp_);
  if (uv_is_closing(handle)) return;
  uv_close(handle, [](uv_handle_t* closed) {
    auto* connection = static_cast<UvConnection*>(closed->data);
    connection->handle_closed_ = true;
    connection->delete_if_done();
  });
}

void UvConnection::offload(Work work, Then then) {
  auto* job = new Job{{}, *this, std::move(work), std::move(then), {}};
  job->request.data = job;
  ++jobs_;
  [[maybe_unused]] const int error = uv_queue_work(
      &server_.loop_, &job->request,
      [](uv_work_t* request) {
        auto* running = static_cast<Job*>(request->data);
        if (!running->connection.server_.stopping_) running->outcome = subject::do_work(running->work);
      },
      [](uv_work_t* request, int) {
        const std::unique_ptr<Job> done(static_cast<Job*>(request->data));
        UvConnection& connection = done->connection;
        if (!connection.server_.stopping_) done->then(std::move(done->outcome));
        --connection.jobs_;
        connection.delete_if_done();
      });
  assert(error == 0);
}

void UvConnection::delete_if_done() {
  if (!handle_closed_ || jobs_ > 0) return;
  *link_ = next_;
  if (next_) next_->link_ = link_;
  delete this;
}

}  // namespace tickmark
