// For tests: certificates made on the spot, so that no key lies in the repository and none expires there.
#pragma once

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <string>

#include "reference-loop/tls/tls_context.h"

namespace refloop {

// A key with its certificate, and what signs with it.
struct TestIdentity {
  std::string certificate_pem;
  std::string key_pem;
  X509* certificate = nullptr;
  EVP_PKEY* key = nullptr;

  TestIdentity() = default;
  TestIdentity(const TestIdentity&) = delete;
  TestIdentity& operator=(const TestIdentity&) = delete;
  ~TestIdentity() {
    X509_free(certificate);
    EVP_PKEY_free(key);
  }
  TlsServerOptions options() const {
    return {.certificate_chain_pem = certificate_pem, .private_key_pem = key_pem, .alpn = {}};
  }
};

struct TestCertificate {
  std::string names = "DNS:localhost,DNS:example.test,IP:127.0.0.1,IP:127.0.0.3";  // subjectAltName
  std::string common_name = "example.test";
  long starts_in_s = -3600;
  long ends_in_s = 3600;
  bool is_authority = false;
  const TestIdentity* issuer = nullptr;  // nothing: self-signed
};

inline std::string pem_of(int (*write)(BIO*, const void*), const void* object) {
  BIO* bio = BIO_new(BIO_s_mem());
  write(bio, object);
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio, &text);
  std::string pem(text, static_cast<std::size_t>(size));
  BIO_free(bio);
  return pem;
}

// Fills `identity`, whose address its issuees keep.
inline void make_identity(TestIdentity& identity, const TestCertificate& wanted) {
  static long serial = 1;
  identity.key = EVP_EC_gen("P-256");
  identity.certificate = X509_new();
  X509* const certificate = identity.certificate;
  X509_set_version(certificate, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial++);
  X509_gmtime_adj(X509_getm_notBefore(certificate), wanted.starts_in_s);
  X509_gmtime_adj(X509_getm_notAfter(certificate), wanted.ends_in_s);
  X509_set_pubkey(certificate, identity.key);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(wanted.common_name.c_str()), -1, -1, 0);
  const TestIdentity& issuer = wanted.issuer ? *wanted.issuer : identity;
  X509_set_issuer_name(certificate, X509_get_subject_name(issuer.certificate));
  const auto extend = [&](int nid, const std::string& value) {
    X509_EXTENSION* extension = X509V3_EXT_nconf_nid(nullptr, nullptr, nid, value.c_str());
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
  };
  extend(NID_basic_constraints, wanted.is_authority ? "critical,CA:TRUE" : "critical,CA:FALSE");
  if (!wanted.is_authority) extend(NID_subject_alt_name, wanted.names);
  X509_sign(certificate, issuer.key, EVP_sha256());
  identity.certificate_pem = pem_of(
      [](BIO* bio, const void* object) { return PEM_write_bio_X509(bio, static_cast<const X509*>(object)); },
      certificate);
  identity.key_pem = pem_of(
      [](BIO* bio, const void* object) {
        return PEM_write_bio_PrivateKey(bio, static_cast<const EVP_PKEY*>(object), nullptr, nullptr, 0,
                                        nullptr, nullptr);
      },
      identity.key);
}

// An authority and a server it vouches for; made once per process.
struct TestPki {
  TestIdentity authority;
  TestIdentity server;
  TestPki() {
    make_identity(authority, {.common_name = "Test Authority", .is_authority = true});
    make_identity(server, {.issuer = &authority});
  }
  static const TestPki& instance() {
    static const TestPki pki;
    return pki;
  }
  TlsClientOptions trusting() const { return {.trusted_pem = authority.certificate_pem, .alpn = {}}; }
};

}  // namespace refloop
