#include "reference-loop/tls/tls_context.h"

#include <algorithm>
#include <cstring>
#include <fstream>
#include <iterator>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "reference-loop/tls/tls_engine.h"
#include "reference-loop/tls/tls_shared.h"

namespace refloop {
namespace {

using X509Ptr = std::unique_ptr<X509, OpenSslFree<X509_free>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, OpenSslFree<EVP_PKEY_free>>;
struct BioFree {
  void operator()(BIO* bio) const { BIO_free(bio); }
};
using BioPtr = std::unique_ptr<BIO, BioFree>;

std::unexpected<TlsFailure> refused(Error error, std::string reason) {
  const std::string openssl = take_openssl_reason();
  if (!openssl.empty()) reason += " (" + openssl + ")";
  return std::unexpected(TlsFailure{error, std::move(reason)});
}

BioPtr reader_of(const std::string& pem) {
  return BioPtr(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
}

// Every certificate of a PEM text, in order; nothing if one of them is damaged.
std::vector<X509Ptr> read_certificates(const std::string& pem) {
  std::vector<X509Ptr> certificates;
  const BioPtr bio = reader_of(pem);
  while (X509* certificate = PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr))
    certificates.emplace_back(certificate);
  const unsigned long last = ERR_peek_last_error();
  const bool at_end = ERR_GET_LIB(last) == ERR_LIB_PEM && ERR_GET_REASON(last) == PEM_R_NO_START_LINE;
  if (at_end)
    ERR_clear_error();
  else
    certificates.clear();
  return certificates;
}

// "h2","http/1.1" -> "\x02h2\x08http/1.1". Nothing for a name that is empty or too long.
std::expected<std::string, TlsFailure> alpn_wire_of(const std::vector<std::string>& names) {
  std::string wire;
  for (const std::string& name : names) {
    if (name.empty() || name.size() > 255)
      return refused(Error::bad_state, "an ALPN name has between 1 and 255 bytes");
    wire.push_back(static_cast<char>(name.size()));
    wire += name;
  }
  return wire;
}

// What both sides want of OpenSSL.
SslCtxPtr make_ctx(const SSL_METHOD* method) {
  SslCtxPtr ctx(SSL_CTX_new(method));
  if (!ctx) return ctx;
  SSL_CTX_set_min_proto_version(ctx.get(), TLS1_2_VERSION);
  SSL_CTX_set_options(ctx.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  // Partial writes never happen on memory; an idle connection gives its buffers back.
  SSL_CTX_set_mode(ctx.get(), SSL_MODE_RELEASE_BUFFERS);
  return ctx;
}

int choose_alpn(SSL* ssl, const unsigned char** out, unsigned char* out_size, const unsigned char* offered,
                unsigned int offered_size, void*) {
  const auto* shared = static_cast<TlsContext::Shared*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
  unsigned char* chosen = nullptr;
  const std::string& wire = shared->alpn_wire;
  const int outcome =
      SSL_select_next_proto(&chosen, out_size, reinterpret_cast<const unsigned char*>(wire.data()),
                            static_cast<unsigned int>(wire.size()), offered, offered_size);
  *out = chosen;
  return outcome == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

std::string lower_case(std::string_view name) {
  std::string lower(name);
  std::ranges::transform(lower, lower.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return lower;
}

int choose_by_name(SSL* ssl, int*, void*) {
  const auto* shared = static_cast<TlsContext::Shared*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
  const char* const asked = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
  if (!asked || shared->by_name.empty()) return SSL_TLSEXT_ERR_OK;
  const std::string name = lower_case(asked);
  auto found = shared->by_name.find(name);
  if (const std::size_t dot = name.find('.'); found == shared->by_name.end() && dot != std::string::npos)
    found = shared->by_name.find("*" + name.substr(dot));
  if (found != shared->by_name.end()) SSL_set_SSL_CTX(ssl, found->second->ctx.get());
  return SSL_TLSEXT_ERR_OK;
}

TlsResult<void> trust(SSL_CTX* ctx, const std::string& pem) {
  if (pem.empty()) {
    if (SSL_CTX_set_default_verify_paths(ctx) != 1)
      return refused(kTlsCertificateRefused, "the system's trusted certificates cannot be read");
    return {};
  }
  const std::vector<X509Ptr> certificates = read_certificates(pem);
  if (certificates.empty()) return refused(Error::bad_state, "the trusted certificates are not readable PEM");
  for (const X509Ptr& certificate : certificates) {
    if (X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), certificate.get()) != 1)
      return refused(Error::bad_state, "a trusted certificate is refused");
  }
  return {};
}

TlsResult<void> identify(SSL_CTX* ctx, const TlsServerOptions& options) {
  const std::vector<X509Ptr> chain = read_certificates(options.certificate_chain_pem);
  if (chain.empty()) return refused(Error::bad_state, "the certificate chain is not readable PEM");
  const BioPtr bio = reader_of(options.private_key_pem);
  const KeyPtr key(PEM_read_bio_PrivateKey(
      bio.get(), nullptr, [](char*, int, int, void*) { return 0; }, nullptr));
  if (!key) return refused(Error::bad_state, "the private key is not readable, unencrypted PEM");
  if (SSL_CTX_use_certificate(ctx, chain[0].get()) != 1 || SSL_CTX_use_PrivateKey(ctx, key.get()) != 1 ||
      SSL_CTX_check_private_key(ctx) != 1)
    return refused(Error::bad_state, "the private key does not belong to the certificate");
  for (std::size_t i = 1; i < chain.size(); ++i) {
    if (SSL_CTX_add1_chain_cert(ctx, chain[i].get()) != 1)
      return refused(Error::bad_state, "a certificate of the chain is refused");
  }
  return {};
}

}  // namespace

std::string take_openssl_reason() {
  const unsigned long last = ERR_peek_last_error();
  ERR_clear_error();
  const char* const text = last ? ERR_reason_error_string(last) : nullptr;
  return text ? text : "";
}

TlsResult<std::string> read_pem_file(const std::string& path) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  if (file && !text.empty()) return text;
  const Error error = errno ? last_error() : Error::bad_state;
  return std::unexpected(TlsFailure{error, path + ": " + (errno ? std::strerror(errno) : "is empty")});
}

TlsResult<TlsContext> TlsContext::client(const TlsClientOptions& options) {
  ERR_clear_error();
  auto shared = std::make_shared<Shared>();
  shared->verification = options.verification;
  shared->ctx = make_ctx(TLS_client_method());
  if (!shared->ctx) return refused(Error::no_memory, "OpenSSL makes no context");
  auto wire = alpn_wire_of(options.alpn);
  if (!wire) return std::unexpected(wire.error());
  shared->alpn_wire = std::move(*wire);
  if (options.verification == TlsVerification::chain_and_host_name) {
    if (auto trusted = trust(shared->ctx.get(), options.trusted_pem); !trusted)
      return std::unexpected(trusted.error());
    SSL_CTX_set_verify(shared->ctx.get(), SSL_VERIFY_PEER, TlsEngine::check_certificate);
  }
  // Sessions are kept by whoever made the connection, not by the context.
  SSL_CTX_set_session_cache_mode(shared->ctx.get(), SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(shared->ctx.get(), TlsEngine::keep_session);
  return TlsContext(std::move(shared));
}

TlsResult<TlsContext> TlsContext::server(const TlsServerOptions& options) {
  ERR_clear_error();
  auto shared = std::make_shared<Shared>();
  shared->is_server = true;
  shared->ctx = make_ctx(TLS_server_method());
  if (!shared->ctx) return refused(Error::no_memory, "OpenSSL makes no context");
  SSL_CTX* const ctx = shared->ctx.get();
  auto wire = alpn_wire_of(options.alpn);
  if (!wire) return std::unexpected(wire.error());
  shared->alpn_wire = std::move(*wire);
  if (auto identified = identify(ctx, options); !identified) return std::unexpected(identified.error());
  SSL_CTX_set_app_data(ctx, shared.get());
  if (!shared->alpn_wire.empty()) SSL_CTX_set_alpn_select_cb(ctx, choose_alpn, nullptr);
  SSL_CTX_set_tlsext_servername_callback(ctx, choose_by_name);
  // Sessions live in tickets, on the client's side alone.
  SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_session_id_context(ctx, reinterpret_cast<const unsigned char*>("refloop"), 7);
  SSL_CTX_set_options(ctx, SSL_OP_CIPHER_SERVER_PREFERENCE);
  return TlsContext(std::move(shared));
}

void TlsContext::serve_name(std::string_view name, const TlsContext& other) {
  shared_->by_name[lower_case(name)] = other.shared_;
}

}  // namespace refloop
