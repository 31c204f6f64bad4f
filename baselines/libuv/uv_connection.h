#pragma once
// One connection on a libuv loop, as a Connection: the idiomatic way, a uv_tcp_t with uv_read_start, and
// uv_try_write before uv_write.

#include <memory>
#include <string_view>
#include <uv.h>

#include "harness/vocabulary/service.h"

namespace tickmark {

class UvServer;

class UvConnection final : public Connection {
 public:
  /// Accepts from `listener`; the object deletes itself when the handle is closed and its work is done.
  static void accept(UvServer& server, uv_stream_t* listener);

  void send(std::string_view bytes) override;
  void close() override;
  void offload(Work work, Then then) override;
  void want_input(bool wanted) override;
  size_t unsent_bytes() const override { return tcp_.write_queue_size; }

  /// Ends it now, whatever is unsent.
  void abort();

 private:
  struct Write;
  struct Job;

  explicit UvConnection(UvServer& server) : server_(server) { tcp_.data = this; }
  ~UvConnection() override = default;

  uv_stream_t* stream() { return reinterpret_cast<uv_stream_t*>(&tcp_); }
  void queue(std::string_view bytes);
  void start_reading();
  void update_reading();
  void on_written();
  void on_read(ssize_t count, const uv_buf_t& buffer);
  void finish_close();
  void delete_if_done();

  UvServer& server_;
  uv_tcp_t tcp_;
  std::unique_ptr<Session> session_;
  UvConnection** link_ = nullptr;  ///< in the server's list: what points to this
  UvConnection* next_ = nullptr;
  unsigned jobs_ = 0;  ///< offloaded and not yet back
  bool reading_ = false;
  bool wants_input_ = true;  ///< of the session
  bool clogged_ = false;     ///< more is unsent than it will hold: it reads on when all has left
  bool ended_ = false;       ///< the peer has half-closed
  bool closing_ = false;     ///< our side wants to close; no more is sent
  bool handle_closed_ = false;

  friend class UvServer;
};

}  // namespace tickmark
