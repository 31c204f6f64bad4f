#pragma once
// One connection on an Asio io_context, as a Connection: one read or one write at a time, each handler
// keeping the object alive.

#include <array>
#include <asio/ip/tcp.hpp>
#include <memory>
#include <string>
#include <string_view>

#include "harness/vocabulary/service.h"

namespace tickmark {

class AsioServer;

class AsioConnection final : public Connection, public std::enable_shared_from_this<AsioConnection> {
 public:
  AsioConnection(AsioServer& server, asio::ip::tcp::socket socket);
  ~AsioConnection() override;

  /// Opens the session and reads; handlers own the object from here on.
  void start();

  void send(std::string_view bytes) override;
  void close() override;
  void offload(Work work, Then then) override;

  /// Ends it now, whatever is unsent.
  void abort();

 private:
  static constexpr size_t kReadBytes = 4096;

  void proceed();
  void read();
  void write();
  void on_read(std::error_code error, size_t count);
  void on_written(std::error_code error);

  AsioServer& server_;
  asio::ip::tcp::socket socket_;
  std::unique_ptr<Session> session_;
  AsioConnection** link_;  ///< in the server's list: what points to this
  AsioConnection* next_;
  std::string sending_;   ///< of the async_write under way
  std::string unsent_;    ///< given to send() meanwhile
  bool reading_ = false;  ///< an async_read_some is under way
  bool writing_ = false;
  bool ended_ = false;      ///< the peer has half-closed
  bool closing_ = false;    ///< our side wants to close; no more is sent
  bool shut_down_ = false;  ///< everything sent has left, and our end too
  std::array<char, kReadBytes> buffer_;

  friend class AsioServer;
};

}  // namespace tickmark
