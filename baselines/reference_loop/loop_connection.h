#pragma once
// One connection on the reference loop, as a Connection.

#include <memory>
#include <string_view>

#include "harness/vocabulary/service.h"
#include "reference-loop/tcp.h"

namespace tickmark {

class Server;

class LoopConnection final : public Connection {
 public:
  /// Serves `socket`; the object deletes itself when the handle is closed and its work is done.
  static void start(Server& server, refloop::Socket socket);

  void send(std::string_view bytes) override;
  void close() override;
  void want_input(bool wanted) override;
  size_t unsent_bytes() const override { return tcp_.queued_bytes(); }
  void offload(Work work, Then then) override;

  /// Ends it now, whatever is unsent.
  void abort();

 private:
  struct Job;

  explicit LoopConnection(Server& server);
  ~LoopConnection() override;

  static void on_read(refloop::Stream& tcp, refloop::Bytes bytes);
  static void on_end(refloop::Stream& tcp, refloop::Error error);
  void update_reading();
  void delete_if_done();

  Server& server_;
  refloop::Tcp tcp_;
  std::unique_ptr<Session> session_;
  LoopConnection** link_;  ///< in the server's list: what points to this
  LoopConnection* next_;
  unsigned jobs_ = 0;  ///< offloaded and not yet back
  bool reading_ = false;
  bool wants_input_ = true;     ///< the session can take more
  bool clogged_ = false;        ///< the peer sends, and does not read what it is sent
  bool ended_ = false;          ///< the peer has half-closed
  bool closing_ = false;        ///< our side wants to close; no more is sent
  bool shutdown_done_ = false;  ///< everything sent has left
  bool handle_closed_ = false;

  friend class Server;
};

}  // namespace tickmark
