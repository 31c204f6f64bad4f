// Blocking cryptography over OpenSSL, with typed errors: what CryptoRequest runs on the pool. Thread-safe.
//
// Everything is written to memory of the caller; nothing is kept. Secrets in it are the caller's to erase.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <openssl/evp.h>
#include <span>
#include <string_view>

#include "reference-loop/error.h"

namespace refloop::crypto {

using Bytes = std::span<const std::byte>;

// The result of a hash function.
struct Digest {
  std::array<std::byte, EVP_MAX_MD_SIZE> storage{};
  std::size_t size = 0;

  Bytes bytes() const { return {storage.data(), size}; }
};

// A digest of bytes that come piece by piece. One thread at a time.
class Hash {
 public:
  // "sha256", "sha512" and whatever else OpenSSL has; Error::not_supported if it has no such.
  static Result<Hash> create(std::string_view algorithm);

  Result<void> update(Bytes bytes);
  // Once, at the end; afterwards everything is Error::bad_state.
  Result<Digest> finish();

 private:
  struct Free {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  };
  explicit Hash(EVP_MD_CTX* context) : context_(context) {}

  std::unique_ptr<EVP_MD_CTX, Free> context_;
};

// All at once.
Result<Digest> digest(std::string_view algorithm, Bytes bytes);

// PBKDF2 (RFC 8018) with HMAC of `algorithm`; fills `into`. Error::bad_state below one iteration.
Result<void> pbkdf2(std::string_view algorithm, Bytes password, Bytes salt, std::uint32_t iterations,
                    std::span<std::byte> into);

// scrypt (RFC 7914). It needs about 128 * cost * block_size bytes; Error::bad_state if that is more than
// memory_bytes_max, or if `cost` is not a power of two above 1.
struct ScryptCost {
  std::uint64_t cost = 16384;
  std::uint64_t block_size = 8;
  std::uint64_t parallelism = 1;
  std::uint64_t memory_bytes_max = 64 << 20;
};
Result<void> scrypt(Bytes password, Bytes salt, ScryptCost cost, std::span<std::byte> into);

// Bytes nobody can guess.
Result<void> random(std::span<std::byte> into);

}  // namespace refloop::crypto
