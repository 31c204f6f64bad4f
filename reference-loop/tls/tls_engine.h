// One TLS connection without a socket: ciphertext in, ciphertext out, plaintext at the other end.
//
// Sans-I/O, so that a stream, a test that cuts records byte by byte and a fuzzer drive the same code. The
// owner gives it what arrived (set_input), asks it to go on (advance), and sends what it made (output) after
// every call. It holds no ciphertext of its own beyond one record.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "reference-loop/tls/tls_context.h"

using SSL = struct ssl_st;
using BIO = struct bio_st;
using X509_STORE_CTX = struct x509_store_ctx_st;

namespace refloop {

// A TLS record never carries more plaintext.
inline constexpr std::size_t kTlsRecordBytes = 16 * 1024;

class TlsEngine {
 public:
  enum class Status : std::uint8_t {
    need_input,  // everything given was consumed
    connected,   // the handshake is complete; said once
    data,        // plaintext was read
    end,         // the peer sent close_notify: everything it said has arrived
    failed,      // failure() says why; final
  };

  // Client: `host` is the name or address to verify and to ask for. Server: ignored.
  explicit TlsEngine(const TlsContext& context, std::string_view host = {});
  ~TlsEngine();
  TlsEngine(const TlsEngine&) = delete;
  TlsEngine& operator=(const TlsEngine&) = delete;

  // Client, before the first advance(): tries to resume. A session of another host, or of a context that did
  // not verify, is not used.
  void resume(const TlsSession& session);

  // The ciphertext that arrived; stays the caller's, who keeps it until advance() says need_input or takes
  // the rest (unread_input) into his own memory.
  void set_input(std::span<const std::byte> ciphertext) { input_ = ciphertext; }
  std::span<const std::byte> unread_input() const { return input_; }
  // Nothing more will come: after what is unread, without close_notify, that is a failure.
  void end_input() { input_ended_ = true; }

  // One step: handshake, or one record into `plaintext` (at least kTlsRecordBytes), of which `size` were
  // read.
  Status advance(std::span<std::byte> plaintext, std::size_t& size);
  // Encrypts all of `plaintext`, once connected. False: failed.
  bool write(std::span<const std::byte> plaintext);
  // Says that nothing more will be written. Idempotent.
  void close_notify();

  // Ciphertext to be sent, until take_output() empties it.
  std::span<const std::byte> output() const { return std::as_bytes(std::span(output_)); }
  void clear_output();

  bool is_connected() const { return connected_; }
  const TlsFailure& failure() const { return failure_; }
  // Empty before the handshake is complete, or where none was agreed.
  std::string_view alpn() const;
  std::string_view version() const;      // "TLSv1.3"
  std::string_view server_name() const;  // what the client asked for; empty if nothing
  bool session_reused() const;
  // The newest session the server has offered; with TLS 1.3 that is some time after the handshake.
  const TlsSession& session() const { return session_; }

  SSL* native() const { return ssl_.get(); }  // for what this class does not offer

 private:
  friend class TlsContext;
  struct SslFree {
    void operator()(SSL* ssl) const;
  };

  static int check_certificate(int accepted, X509_STORE_CTX* store);
  static int keep_session(SSL* ssl, SSL_SESSION* session);
  static int read_bio(BIO* bio, char* to, int size);
  static int write_bio(BIO* bio, const char* from, int size);
  static long control_bio(BIO* bio, int command, long number, void* pointer);
  void attach_memory();
  bool verify_host(std::string_view host);
  Status judge(int result);
  Status fail(Error error, std::string reason);

  std::shared_ptr<TlsContext::Shared> context_;
  std::unique_ptr<SSL, SslFree> ssl_;
  std::string host_;
  std::span<const std::byte> input_;
  std::string output_;
  bool input_ended_ = false;
  bool connected_ = false;
  bool notified_ = false;
  TlsSession session_;
  std::string certificate_reason_;
  TlsFailure failure_;
};

}  // namespace refloop
