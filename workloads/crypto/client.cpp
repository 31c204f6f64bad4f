// crypto, client half: what every reply must be, computed apart from the service: PBKDF2 from HMAC by its
// definition (RFC 8018, 5.2), scrypt through OpenSSL's EVP_KDF, SHA-256 fed word by word.

#include <array>
#include <bit>
#include <cassert>
#include <fmt/format.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include "workloads/parameters.h"
#include "workloads/table_client.h"

namespace tickmark {
namespace {

using workloads::TableClient;

constexpr size_t kKeyBytes = 64;  // one block of SHA-512
constexpr int kPasswords = 16;
constexpr uint64_t kBlocks = 8;
using Key = std::array<unsigned char, kKeyBytes>;

template <typename Bytes>
std::string hex(const Bytes& bytes, size_t size) {
  std::string text;
  for (size_t i = 0; i < size; ++i) text += fmt::format("{:02x}", bytes[i]);
  return text;
}

Key hmac(const std::string& password, const unsigned char* data, size_t size) {
  Key out;
  unsigned out_size = 0;
  HMAC(EVP_sha512(), password.data(), static_cast<int>(password.size()), data, size, out.data(), &out_size);
  assert(out_size == kKeyBytes);
  return out;
}

// The first block T_1 = U_1 xor U_2 xor ..., which is the whole key of 64 bytes.
std::string pbkdf2(const std::string& password, const std::string& salt, uint64_t iterations) {
  const std::string first = salt + std::string("\0\0\0\1", 4);
  Key u = hmac(password, reinterpret_cast<const unsigned char*>(first.data()), first.size());
  Key key = u;
  for (uint64_t i = 1; i < iterations; ++i) {
    u = hmac(password, u.data(), u.size());
    for (size_t j = 0; j < kKeyBytes; ++j) key[j] ^= u[j];
  }
  return hex(key, kKeyBytes);
}

std::string scrypt(std::string password, std::string salt, uint64_t n) {
  uint32_t r = 8, p = 1;
  uint64_t memory_max = 2ULL << 30;
  OSSL_PARAM params[] = {
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_PASSWORD, password.data(), password.size()),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, salt.data(), salt.size()),
      OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_SCRYPT_N, &n),
      OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_SCRYPT_R, &r),
      OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_SCRYPT_P, &p),
      OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_SCRYPT_MAXMEM, &memory_max),
      OSSL_PARAM_construct_end()};
  EVP_KDF* kdf = EVP_KDF_fetch(nullptr, "SCRYPT", nullptr);
  EVP_KDF_CTX* context = EVP_KDF_CTX_new(kdf);
  Key key;
  [[maybe_unused]] const int ok = EVP_KDF_derive(context, key.data(), key.size(), params);
  assert(ok == 1);
  EVP_KDF_CTX_free(context);
  EVP_KDF_free(kdf);
  return hex(key, kKeyBytes);
}

std::string sha256_of_block(uint64_t block) {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  EVP_DigestInit_ex(context, EVP_sha256(), nullptr);
  SplitMix64 random(block);
  for (int i = 0; i < 131'072; ++i) {
    const uint64_t word = random.next();
    unsigned char bytes[8];
    for (size_t j = 0; j < 8; ++j) bytes[j] = static_cast<unsigned char>(word >> (8 * j));
    EVP_DigestUpdate(context, bytes, sizeof bytes);
  }
  std::array<unsigned char, 32> digest;
  EVP_DigestFinal_ex(context, digest.data(), nullptr);
  EVP_MD_CTX_free(context);
  return hex(digest, digest.size());
}

TableClient::Kind pbkdf2_requests(const ClientSetup& setup, uint64_t iterations) {
  TableClient::Kind kind;
  for (int i = 0; i < kPasswords; ++i) {
    const std::string password = fmt::format("secret{}-{}", setup.seed, i), salt = fmt::format("salt{}", i);
    kind.entries.push_back(
        {workloads::http_head("GET",
                              fmt::format("/crypto/pbkdf2?password={}&salt={}&iterations={}&bytes={}",
                                          password, salt, iterations, kKeyBytes),
                              setup.host),
         pbkdf2(password, salt, iterations)});
  }
  return kind;
}

TableClient::Kind scrypt_requests(const ClientSetup& setup, uint64_t n) {
  TableClient::Kind kind;
  for (int i = 0; i < kPasswords; ++i) {
    const std::string password = fmt::format("secret{}-{}", setup.seed, i), salt = fmt::format("salt{}", i);
    kind.entries.push_back(
        {workloads::http_head("GET",
                              fmt::format("/crypto/scrypt?password={}&salt={}&n={}&r=8&p=1&bytes={}",
                                          password, salt, n, kKeyBytes),
                              setup.host),
         scrypt(password, salt, n)});
  }
  return kind;
}

TableClient::Kind sha256_requests(const ClientSetup& setup) {
  TableClient::Kind kind;
  for (uint64_t block = 0; block < kBlocks; ++block) {
    kind.entries.push_back(
        {workloads::http_head("GET", fmt::format("/crypto/sha256?block={}", block), setup.host),
         sha256_of_block(block)});
  }
  return kind;
}

}  // namespace

Expected<Client> make_client_crypto(const ClientSetup& setup) {
  if (auto ok = workloads::check_names("crypto", setup.params, {"iterations", "scrypt_n"}); !ok) {
    return std::unexpected(ok.error());
  }
  const auto variant =
      workloads::pick_variant("crypto", setup.variant, {"mix", "pbkdf2", "scrypt", "sha256"});
  if (!variant) return std::unexpected(variant.error());
  const auto iterations =
      workloads::number_parameter("crypto", setup.params, "iterations", 4000, 1, 10'000'000);
  if (!iterations) return std::unexpected(iterations.error());
  const auto n = workloads::number_parameter("crypto", setup.params, "scrypt_n", 1024, 2, 1 << 20);
  if (!n) return std::unexpected(n.error());
  if (!std::has_single_bit(*n)) {
    return usage_error(fmt::format("workload 'crypto': parameter scrypt_n={}: expected a power of two", *n));
  }
  std::vector<TableClient::Kind> kinds;
  if (*variant == 0 || *variant == 1) kinds.push_back(pbkdf2_requests(setup, *iterations));
  if (*variant == 0 || *variant == 2) kinds.push_back(scrypt_requests(setup, *n));
  if (*variant == 0 || *variant == 3) kinds.push_back(sha256_requests(setup));
  Client client;
  client.http = std::make_unique<TableClient>(setup.seed, std::move(kinds));
  return client;
}

}  // namespace tickmark
