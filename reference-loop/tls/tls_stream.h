// TLS as a stream on top of a stream: what Stream does, with the bytes below encrypted.
//
// The stream below is connected (or adopted) by the caller, who keeps its memory, and then belongs to this:
// its callbacks and its `data` are used, close() closes both, and both may be destroyed in the close
// callback. Liveness is that of the stream below.
//
// What is guaranteed: what Stream guarantees, in its order (writes first in, first out; no callback inside
// the call that asked for it; one on_end after all data). A write's callback comes when its ciphertext was
// taken by the system. on_end gets Error::none only after the peer's close_notify: a connection that merely
// ends is kTlsTruncated. Memory is bounded: of a peer that does not read, by what the caller wrote (plaintext
// is encrypted as the stream below drains); of a peer that sends while nobody reads, by one read of the
// stream below. Writes may be queued before the handshake is complete. Renegotiation is refused.
//
//   refloop::Tcp tcp(loop);           // connected
//   refloop::TlsStream tls(tcp, context, "example.org");
//   tls.handshake([](refloop::TlsStream& stream, refloop::Error error) {
//     if (error != refloop::Error::none) return complain(stream.failure_reason());
//     stream.send(request);
//   });
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "reference-loop/handle.h"
#include "reference-loop/stream.h"
#include "reference-loop/tls/tls_context.h"
#include "reference-loop/tls/tls_engine.h"

namespace refloop {

class TlsStream;

// One write; the caller's memory, like the bytes it points at, until its callback ran. Embed or derive.
class TlsWriteRequest : private ListHook<> {
 public:
  using Callback = void (*)(TlsWriteRequest&, Error);  // none, canceled, or what ended the connection

  TlsWriteRequest() = default;
  void* data = nullptr;  // the caller's

 protected:
  ~TlsWriteRequest() = default;

 private:
  friend class TlsStream;
  friend class IntrusiveList<TlsWriteRequest>;

  Callback done_ = nullptr;
  Bytes unencrypted_;
  bool owned_by_stream_ = false;
  Error error_ = Error::none;
  TraceTag tag_;
};

class TlsStream : public Handle, private Deferred {
 public:
  using ReadCallback = void (*)(TlsStream&, Bytes bytes);  // bytes: until it returns; at most one record
  using EndCallback = void (*)(TlsStream&, Error error);
  using HandshakeCallback = void (*)(TlsStream&, Error error);
  using ShutdownCallback = void (*)(TlsStream&, Error error);
  using DrainCallback = void (*)(TlsStream&);

  // Client or server, as the context is. `host`: whom a client verifies and asks for.
  TlsStream(Stream& below, const TlsContext& context, std::string_view host = {});

  // Client, before handshake(): tries to resume what an earlier connection to this host kept.
  void resume(const TlsSession& session) { engine_.resume(session); }
  // Once. `callback` runs when both sides have agreed, or with the reason why not.
  Result<void> handshake(HandshakeCallback callback);

  // After the handshake. Otherwise as Stream: until read_stop(), then on_end once.
  Result<void> read_start(ReadCallback on_read, EndCallback on_end);
  void read_stop();

  Result<void> write(TlsWriteRequest& request, Bytes bytes, TlsWriteRequest::Callback callback);
  // Fire and forget: the bytes are the caller's again when it returns. Watch queued_bytes().
  Result<void> send(Bytes first, Bytes second = {});
  // Plaintext not yet encrypted, and ciphertext not yet taken by the system.
  std::size_t queued_bytes() const { return unencrypted_bytes_ + below_.queued_bytes(); }
  // Called, in the pending phase, whenever queued_bytes() has come back to zero.
  void set_on_drain(DrainCallback callback) { on_drain_ = callback; }

  // close_notify after everything queued, then FIN. The peer may go on sending.
  Result<void> shutdown(ShutdownCallback callback);

  // Why the connection failed, in one sentence; empty if it did not.
  const std::string& failure_reason() const { return failure_reason_; }
  const TlsEngine& engine() const { return engine_; }  // what was agreed: alpn, version, session
  Stream& below() const { return below_; }

 private:
  void begin_close() override;
  void finish_close() override;
  void deliver_pending() override;

  void receive(Bytes ciphertext);
  void below_ended(Error error);
  void pull();
  void keep_unread();
  void stop_below();
  Result<void> start_below();
  void fail(Error error, std::string reason);
  void fail_engine();
  void flush();

  Error write_refusal() const;
  void encrypt_queue();
  void begin_shutdown();
  void fail_queue(Error error);
  void cancel_sent();
  void deliver_writes();
  void deliver_end(Error error);
  void unlink_pending() { refloop::ListHook<PendingTag>::unlink(); }
  bool all_left() { return queue_.empty() && below_.is_flushed(); }

  Stream& below_;
  TlsEngine engine_;
  ReadCallback on_read_ = nullptr;
  EndCallback on_end_ = nullptr;
  HandshakeCallback on_handshake_ = nullptr;
  ShutdownCallback on_shutdown_ = nullptr;
  DrainCallback on_drain_ = nullptr;
  IntrusiveList<TlsWriteRequest> queue_;  // not fully encrypted, in order
  IntrusiveList<TlsWriteRequest> sent_;   // encrypted or failed, callback outstanding, in order
  std::vector<std::byte> unread_;         // ciphertext that arrived behind what was asked for
  std::size_t unencrypted_bytes_ = 0;
  Error failure_ = Error::none;
  std::string failure_reason_;
  TraceTag handshake_tag_;
  TraceTag shutdown_tag_;
  bool handshake_started_ = false;
  bool reading_ = false;
  bool below_reading_ = false;
  bool below_ended_ = false;
  bool pulling_ = false;
  bool end_delivered_ = false;
  bool shutdown_requested_ = false;
  bool shutdown_begun_ = false;     // close_notify is on its way
  bool shutdown_finished_ = false;  // the stream below has reported; the callback is due
  Error shutdown_error_ = Error::none;
  bool drain_due_ = false;
};

}  // namespace refloop
