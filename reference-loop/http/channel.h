// What an HTTP connection runs on: a TCP connection, or TLS on one. One class for both, so that nothing above
// has to know.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "reference-loop/tcp.h"
#include "reference-loop/tls/tls_stream.h"

namespace refloop {

class Channel {
 public:
  // Told what happens; never inside a call of the channel. After channel_closed() the channel may be
  // destroyed.
  class Owner {
   public:
    // Connected, and agreed on TLS where there is TLS: or why not.
    virtual void channel_opened(Error error) = 0;
    virtual void channel_read(Bytes bytes) = 0;
    virtual void channel_ended(Error error) = 0;
    virtual void channel_drained() = 0;
    // What shutdown() was asked to send has left, or never will.
    virtual void channel_shut_down() = 0;
    virtual void channel_closed() = 0;

   protected:
    ~Owner() = default;
  };

  // `tls`: nothing for plain TCP; `host`: whom a client verifies.
  Channel(Loop& loop, Owner& owner, const TlsContext* tls, std::string_view host = {});

  // Server: channel_opened() follows on TLS; a plain channel is open when this returns.
  Result<void> adopt(Socket socket);
  // Client: channel_opened() follows.
  Result<void> connect(const Address& address);
  void resume(const TlsSession& session);

  Result<void> read_start();
  void read_stop();
  Result<void> send(std::string_view bytes);
  std::size_t queued_bytes() const { return tls_ ? tls_->queued_bytes() : tcp_.queued_bytes(); }
  void shutdown();
  // Idempotent.
  void close();

  bool is_closing() const { return closing_; }
  bool is_open() const { return open_; }
  const TlsStream* tls() const { return tls_.get(); }
  // Empty if only the Error is known.
  std::string failure_reason() const { return tls_ ? tls_->failure_reason() : ""; }

 private:
  template <typename T>
  static Channel& of(T& handle) {
    return *static_cast<Channel*>(handle.data);
  }
  void connected(Error error);
  Result<void> begin();

  Owner& owner_;
  Tcp tcp_;
  std::unique_ptr<TlsStream> tls_;
  bool open_ = false;
  bool closing_ = false;
};

}  // namespace refloop
