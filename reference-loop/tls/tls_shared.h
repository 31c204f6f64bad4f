// What contexts and engines share, and nobody else sees: OpenSSL's own objects.
#pragma once

#include <map>
#include <memory>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <string>

#include "reference-loop/tls/tls_context.h"

namespace refloop {

template <auto kFree>
struct OpenSslFree {
  template <typename T>
  void operator()(T* object) const {
    kFree(object);
  }
};
using SslCtxPtr = std::unique_ptr<SSL_CTX, OpenSslFree<SSL_CTX_free>>;
using SslPtr = std::unique_ptr<SSL, OpenSslFree<SSL_free>>;

struct TlsContext::Shared {
  SslCtxPtr ctx;
  bool is_server = false;
  TlsVerification verification = TlsVerification::chain_and_host_name;
  std::string alpn_wire;                                   // as it goes over the wire
  std::map<std::string, std::shared_ptr<Shared>> by_name;  // lower case
};

// The newest error OpenSSL has queued for this thread, in its words; empties the queue.
std::string take_openssl_reason();

}  // namespace refloop
