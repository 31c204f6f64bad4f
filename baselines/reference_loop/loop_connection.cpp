#include "baselines/reference_loop/loop_connection.h"

#include <utility>

#include "baselines/reference_loop/ring_files.h"
#include "baselines/reference_loop/server.h"
#include "harness/subject/do_work.h"
#include "harness/subject/http_session.h"
#include "reference-loop/pool.h"

namespace tickmark {

// What an idle connection costs in user memory is part of what is compared.
static_assert(sizeof(LoopConnection) + sizeof(subject::HttpSession) <= 512);

// Unsent replies, in bytes, beyond which nothing more is read until all of them have left: a peer who asks
// and never reads costs this much, what one read brought, and the replies that were under way.
constexpr size_t kUnsentMax = 1024 * 1024;

struct LoopConnection::Job : refloop::Work {
  Job(LoopConnection& owner, tickmark::Work what, Then after)
      : connection(owner), work(std::move(what)), then(std::move(after)) {}

  LoopConnection& connection;
  tickmark::Work work;
  Then then;
  WorkOutcome outcome;
};

LoopConnection::LoopConnection(Server& server) : server_(server), tcp_(server.loop_) {
  tcp_.data = this;
  next_ = server.connections_;
  link_ = &server.connections_;
  if (next_) next_->link_ = &next_;
  server.connections_ = this;
}

LoopConnection::~LoopConnection() {
  *link_ = next_;
  if (next_) next_->link_ = link_;
}

void LoopConnection::start(Server& server, refloop::Socket socket) {
  auto* connection = new LoopConnection(server);  // deletes itself, see delete_if_done()
  if (!connection->tcp_.adopt(std::move(socket))) return connection->abort();
  connection->session_ = server.context_.open(*connection);
  connection->tcp_.set_on_drain([](refloop::Stream& tcp) {
    auto* drained = static_cast<LoopConnection*>(tcp.data);
    drained->clogged_ = false;
    if (!drained->closing_) drained->session_->on_drained();
    drained->update_reading();
  });
  connection->update_reading();
}

// Once our side is closing, what the peer still sends is read and dropped.
void LoopConnection::update_reading() {
  const bool wanted = closing_ || (wants_input_ && !clogged_);
  if (wanted == reading_ || ended_ || tcp_.is_closing()) return;
  reading_ = wanted;
  if (!wanted)
    tcp_.read_stop();
  else if (!tcp_.read_start(on_read, on_end))
    abort();
}

void LoopConnection::want_input(bool wanted) {
  wants_input_ = wanted;
  update_reading();
}

void LoopConnection::on_read(refloop::Stream& tcp, refloop::Bytes bytes) {
  auto* connection = static_cast<LoopConnection*>(tcp.data);
  if (connection->closing_) return;
  connection->session_->on_bytes({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

void LoopConnection::on_end(refloop::Stream& tcp, refloop::Error error) {
  auto* connection = static_cast<LoopConnection*>(tcp.data);
  if (error != refloop::Error::none) return connection->abort();
  connection->ended_ = true;
  if (!connection->closing_) return connection->session_->on_end();
  if (connection->shutdown_done_) connection->abort();
}

void LoopConnection::send(std::string_view bytes) {
  if (closing_) return;
  if (!tcp_.send(std::as_bytes(std::span(bytes)))) return abort();
  if (tcp_.queued_bytes() <= kUnsentMax) [[likely]]
    return;
  clogged_ = true;
  update_reading();
}

// First the end of what we send; what the peer still sends is read and dropped until it ends too, because
// closing with unread input would reset the connection under replies on their way.
void LoopConnection::close() {
  if (closing_) return;
  closing_ = true;
  if (ended_ && tcp_.is_flushed()) return abort();
  const auto started = tcp_.shutdown([](refloop::Stream& tcp, refloop::Error) {
    auto* connection = static_cast<LoopConnection*>(tcp.data);
    connection->shutdown_done_ = true;
    if (connection->ended_) connection->abort();
  });
  if (!started) return abort();
  update_reading();
}

void LoopConnection::abort() {
  closing_ = true;
  if (tcp_.is_closing()) return;
  tcp_.close([](refloop::Handle& handle) {
    auto* connection = static_cast<LoopConnection*>(handle.data);
    connection->handle_closed_ = true;
    connection->delete_if_done();
  });
}

void LoopConnection::offload(Work work, Then then) {
  ++jobs_;
  if (server_.loop_.options().files == refloop::FilesOn::ring && is_file_work(work)) {
    return run_on_ring(server_.loop_, std::move(work),
                       [this, then = std::move(then)](WorkOutcome outcome) mutable {
                         if (!server_.stopping_) then(std::move(outcome));
                         --jobs_;
                         delete_if_done();
                       });
  }
  server_.loop_.pool().submit(
      *new Job(*this, std::move(work), std::move(then)),
      [](refloop::Work& item) {
        auto& job = static_cast<Job&>(item);
        if (!job.connection.server_.stopping_) job.outcome = subject::do_work(job.work);
      },
      [](refloop::Work& item, refloop::Error) {
        const std::unique_ptr<Job> job(static_cast<Job*>(&item));
        LoopConnection& connection = job->connection;
        if (!connection.server_.stopping_) job->then(std::move(job->outcome));
        --connection.jobs_;
        connection.delete_if_done();
      });
}

void LoopConnection::delete_if_done() {
  if (handle_closed_ && jobs_ == 0) delete this;
}

}  // namespace tickmark
