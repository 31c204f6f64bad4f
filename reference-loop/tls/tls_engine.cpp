#include "reference-loop/tls/tls_engine.h"

#include <algorithm>
#include <arpa/inet.h>
#include <cassert>
#include <cstring>
#include <ctime>
#include <openssl/x509v3.h>

#include "reference-loop/tls/tls_shared.h"

namespace refloop {
namespace {

// A large burst's buffer is not kept by an idle connection.
constexpr std::size_t kKeptOutputBytes = 4 * 1024;

bool is_address(const std::string& host) {
  unsigned char binary[sizeof(in6_addr)];
  return inet_pton(AF_INET, host.c_str(), binary) == 1 || inet_pton(AF_INET6, host.c_str(), binary) == 1;
}

std::string name_of(const X509_NAME* name) {
  char text[256] = "";
  X509_NAME_oneline(name, text, sizeof(text));
  return text;
}

std::string time_of(const ASN1_TIME* time) {
  tm broken{};
  char text[32] = "?";
  if (ASN1_TIME_to_tm(time, &broken) == 1) strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S UTC", &broken);
  return text;
}

// The names a certificate is for, as a reader expects them in a sentence.
std::string names_in(X509* certificate) {
  std::string names;
  auto* alternatives =
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
  for (int i = 0; i < sk_GENERAL_NAME_num(alternatives); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(alternatives, i);
    if (name->type != GEN_DNS) continue;
    if (!names.empty()) names += ", ";
    names.append(reinterpret_cast<const char*>(ASN1_STRING_get0_data(name->d.dNSName)),
                 static_cast<std::size_t>(ASN1_STRING_length(name->d.dNSName)));
  }
  GENERAL_NAMES_free(alternatives);
  return names.empty() ? name_of(X509_get_subject_name(certificate)) : names;
}

// What is wrong with the server's own certificate, or with one that should vouch for it.
std::string sentence_end(int error, X509* shown) {
  switch (error) {
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return " is not for that name, but for " + names_in(shown);
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return " has expired: it was valid until " + time_of(X509_get0_notAfter(shown));
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return " is not valid yet";
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
      return " is self-signed, by nobody this context trusts";
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
      return " was issued by somebody this context does not trust: " + name_of(X509_get_issuer_name(shown));
    default:
      return std::string(" is refused: ") + X509_verify_cert_error_string(error);
  }
}

}  // namespace

void TlsEngine::SslFree::operator()(SSL* ssl) const { SSL_free(ssl); }

TlsEngine::TlsEngine(const TlsContext& context, std::string_view host)
    : context_(context.shared_), ssl_(SSL_new(context_->ctx.get())), host_(host) {
  if (!ssl_) {
    (void)fail(Error::no_memory, "OpenSSL makes no connection");
    return;
  }
  SSL_set_app_data(ssl_.get(), this);
  attach_memory();
  if (context_->is_server) {
    SSL_set_accept_state(ssl_.get());
    return;
  }
  SSL_set_connect_state(ssl_.get());
  if (!context_->alpn_wire.empty()) {
    SSL_set_alpn_protos(ssl_.get(), reinterpret_cast<const unsigned char*>(context_->alpn_wire.data()),
                        static_cast<unsigned int>(context_->alpn_wire.size()));
  }
  if (!verify_host(host_)) (void)fail(Error::bad_state, "'" + host_ + "' is no host name to verify");
}

TlsEngine::~TlsEngine() {
  // A connection that is dropped without close_notify does not make its session unusable.
  if (ssl_) SSL_set_shutdown(ssl_.get(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
}

// Input is read from where it lies, output appended to a string: no socket, no second buffer.
void TlsEngine::attach_memory() {
  static BIO_METHOD* const method = [] {
    BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "tls engine memory");
    BIO_meth_set_read(made, read_bio);
    BIO_meth_set_write(made, write_bio);
    BIO_meth_set_ctrl(made, control_bio);
    return made;
  }();
  BIO* const bio = BIO_new(method);
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_.get(), bio, bio);  // owned by ssl_ from here
}

int TlsEngine::read_bio(BIO* bio, char* to, int size) {
  auto& engine = *static_cast<TlsEngine*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  if (engine.input_.empty()) {
    if (engine.input_ended_) return 0;
    BIO_set_retry_read(bio);
    return -1;
  }
  const std::size_t taken = std::min(engine.input_.size(), static_cast<std::size_t>(size));
  std::memcpy(to, engine.input_.data(), taken);
  engine.input_ = engine.input_.subspan(taken);
  return static_cast<int>(taken);
}

int TlsEngine::write_bio(BIO* bio, const char* from, int size) {
  static_cast<TlsEngine*>(BIO_get_data(bio))->output_.append(from, static_cast<std::size_t>(size));
  return size;
}

long TlsEngine::control_bio(BIO* bio, int command, long, void*) {
  if (command == BIO_CTRL_FLUSH) return 1;
  if (command == BIO_CTRL_EOF) {
    const auto& engine = *static_cast<TlsEngine*>(BIO_get_data(bio));
    return engine.input_ended_ && engine.input_.empty();
  }
  return 0;
}

bool TlsEngine::verify_host(std::string_view host) {
  const bool verifies = context_->verification == TlsVerification::chain_and_host_name;
  if (host.empty()) return !verifies;  // whom to trust is not for OpenSSL to guess
  if (host.find('\0') != std::string_view::npos) return false;
  X509_VERIFY_PARAM* const parameters = SSL_get0_param(ssl_.get());
  if (is_address(host_)) return !verifies || X509_VERIFY_PARAM_set1_ip_asc(parameters, host_.c_str()) == 1;
  if (SSL_set_tlsext_host_name(ssl_.get(), host_.c_str()) != 1) return false;
  if (!verifies) return true;
  X509_VERIFY_PARAM_set_hostflags(parameters, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  return SSL_set1_host(ssl_.get(), host_.c_str()) == 1;
}

void TlsEngine::resume(const TlsSession& session) {
  const bool verifies = context_->verification == TlsVerification::chain_and_host_name;
  if (!session || !ssl_ || session.host_ != host_ || (verifies && !session.verified_)) return;
  SSL_set_session(ssl_.get(), session.session_.get());
}

int TlsEngine::keep_session(SSL* ssl, SSL_SESSION* session) {
  auto& engine = *static_cast<TlsEngine*>(SSL_get_app_data(ssl));
  engine.session_.session_.reset(session, [](SSL_SESSION* kept) { SSL_SESSION_free(kept); });
  engine.session_.host_ = engine.host_;
  engine.session_.verified_ = engine.context_->verification == TlsVerification::chain_and_host_name;
  return 1;  // the reference is ours now
}

TlsEngine::Status TlsEngine::advance(std::span<std::byte> plaintext, std::size_t& size) {
  size = 0;
  if (failure_.error != Error::none) return Status::failed;
  ERR_clear_error();
  if (!connected_) {
    const int result = SSL_do_handshake(ssl_.get());
    if (result != 1) return judge(result);
    connected_ = true;
    return Status::connected;
  }
  assert(plaintext.size() >= kTlsRecordBytes);
  const int result = SSL_read_ex(ssl_.get(), plaintext.data(), plaintext.size(), &size);
  return result == 1 ? Status::data : judge(result);
}

TlsEngine::Status TlsEngine::judge(int result) {
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
      return Status::need_input;
    case SSL_ERROR_ZERO_RETURN:
      return Status::end;
    default:
      break;
  }
  const unsigned long last = ERR_peek_last_error();
  if (ERR_GET_REASON(last) == SSL_R_UNEXPECTED_EOF_WHILE_READING || (last == 0 && input_ended_)) {
    ERR_clear_error();
    return fail(kTlsTruncated, connected_
                                   ? "the peer ended the connection without close_notify: data may be missing"
                                   : "the peer ended the connection during the handshake");
  }
  if (ERR_GET_REASON(last) == SSL_R_CERTIFICATE_VERIFY_FAILED) {
    ERR_clear_error();
    return fail(kTlsCertificateRefused, certificate_reason_);
  }
  return fail(kTlsProtocolError, "TLS failed: " + take_openssl_reason());
}

TlsEngine::Status TlsEngine::fail(Error error, std::string reason) {
  failure_ = {error, std::move(reason)};
  return Status::failed;
}

// While the certificate is at hand: a handshake that failed has forgotten it.
int TlsEngine::check_certificate(int accepted, X509_STORE_CTX* store) {
  if (accepted) return 1;
  auto* ssl = static_cast<SSL*>(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
  auto& engine = *static_cast<TlsEngine*>(SSL_get_app_data(ssl));
  engine.certificate_reason_ = "the certificate that answers for " + engine.host_ +
                               sentence_end(X509_STORE_CTX_get_error(store), X509_STORE_CTX_get0_cert(store));
  return 0;
}

bool TlsEngine::write(std::span<const std::byte> plaintext) {
  assert(connected_ && !notified_);
  if (failure_.error != Error::none) return false;
  if (plaintext.empty()) return true;
  ERR_clear_error();
  std::size_t written = 0;
  const int result = SSL_write_ex(ssl_.get(), plaintext.data(), plaintext.size(), &written);
  if (result == 1) return true;
  (void)fail(kTlsProtocolError, "TLS failed: " + take_openssl_reason());
  return false;
}

void TlsEngine::close_notify() {
  if (notified_ || !connected_ || failure_.error != Error::none) return;
  notified_ = true;
  ERR_clear_error();
  (void)SSL_shutdown(ssl_.get());
  ERR_clear_error();
}

void TlsEngine::clear_output() {
  output_.clear();
  if (output_.capacity() > kKeptOutputBytes) output_.shrink_to_fit();
}

std::string_view TlsEngine::alpn() const {
  const unsigned char* chosen = nullptr;
  unsigned int size = 0;
  SSL_get0_alpn_selected(ssl_.get(), &chosen, &size);
  return {reinterpret_cast<const char*>(chosen), size};
}

std::string_view TlsEngine::version() const { return SSL_get_version(ssl_.get()); }

std::string_view TlsEngine::server_name() const {
  const char* const name = SSL_get_servername(ssl_.get(), TLSEXT_NAMETYPE_host_name);
  return name ? name : "";
}

bool TlsEngine::session_reused() const { return SSL_session_reused(ssl_.get()) == 1; }

}  // namespace refloop
