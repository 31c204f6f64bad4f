// What TLS connections have in common: whom they trust, who they are, what they speak.
//
// TLS 1.2 and 1.3. A client verifies the chain and the host name unless it is told, by a name nobody writes
// by accident, not to. Contexts are made once and shared by any number of connections of one thread or many;
// they may be destroyed before the connections.
#pragma once

#include <expected>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "reference-loop/error.h"

using SSL_CTX = struct ssl_ctx_st;
using SSL_SESSION = struct ssl_session_st;

namespace refloop {

// EPROTO: what one side said is not TLS, or the two have nothing in common. EKEYREJECTED: the peer's
// certificate was refused. ECONNABORTED: the connection ended without close_notify, so something may be
// missing.
inline constexpr Error kTlsProtocolError = static_cast<Error>(EPROTO);
inline constexpr Error kTlsCertificateRefused = static_cast<Error>(EKEYREJECTED);
inline constexpr Error kTlsTruncated = static_cast<Error>(ECONNABORTED);

struct TlsFailure {
  Error error = Error::none;
  std::string reason;  // one sentence
};
template <typename T>
using TlsResult = std::expected<T, TlsFailure>;

enum class TlsVerification : unsigned char {
  chain_and_host_name,
  none_anyone_may_listen,  // encrypted towards whoever answers: for tests, and for keys pinned elsewhere
};

struct TlsClientOptions {
  TlsVerification verification = TlsVerification::chain_and_host_name;
  std::string trusted_pem = {};        // certificates; empty: those the system trusts
  std::vector<std::string> alpn = {};  // most wanted first: "http/1.1"
};

struct TlsServerOptions {
  std::string certificate_chain_pem;   // the server's own first
  std::string private_key_pem;         // unencrypted
  std::vector<std::string> alpn = {};  // most wanted first; a client that offers none of them is refused
};

// The whole file. EACCES, ENOENT... with a sentence that names it.
TlsResult<std::string> read_pem_file(const std::string& path);

// A session that a later connection to the same host may resume; cheap to copy, nothing by default.
class TlsSession {
 public:
  explicit operator bool() const { return session_ != nullptr; }

 private:
  friend class TlsEngine;
  std::shared_ptr<SSL_SESSION> session_;
  std::string host_;       // a resumed handshake shows no certificate: only the same name may trust it
  bool verified_ = false;  // and only if somebody had verified it
};

class TlsContext {
 public:
  struct Shared;  // OpenSSL's side of it

  static TlsResult<TlsContext> client(const TlsClientOptions& options = {});
  static TlsResult<TlsContext> server(const TlsServerOptions& options);

  // Server: clients that ask for `name` (exact, or "*.example.org" for one label) get `other`; those that ask
  // for none, or one unknown, get this. Before the first connection.
  void serve_name(std::string_view name, const TlsContext& other);

 private:
  friend class TlsEngine;
  explicit TlsContext(std::shared_ptr<Shared> shared) : shared_(std::move(shared)) {}
  std::shared_ptr<Shared> shared_;
};

}  // namespace refloop
