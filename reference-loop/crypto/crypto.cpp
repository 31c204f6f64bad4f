#include "reference-loop/crypto/crypto.h"

#include <climits>
#include <openssl/rand.h>
#include <string>

namespace refloop::crypto {
namespace {

const unsigned char* raw(Bytes bytes) { return reinterpret_cast<const unsigned char*>(bytes.data()); }
const char* text(Bytes bytes) { return reinterpret_cast<const char*>(bytes.data()); }
unsigned char* raw(std::span<std::byte> bytes) { return reinterpret_cast<unsigned char*>(bytes.data()); }

const EVP_MD* find(std::string_view algorithm) {
  return EVP_get_digestbyname(std::string(algorithm).c_str());
}

// OpenSSL counts with int.
bool fits_int(std::size_t size) { return size <= INT_MAX; }

Result<void> succeed(int result) {
  if (result != 1) return failure(Error::bad_state);
  return {};
}

}  // namespace

Result<Hash> Hash::create(std::string_view algorithm) {
  const EVP_MD* function = find(algorithm);
  if (!function) return failure(Error::not_supported);
  Hash hash(EVP_MD_CTX_new());
  if (!hash.context_) return failure(Error::no_memory);
  if (EVP_DigestInit_ex(hash.context_.get(), function, nullptr) != 1) return failure(Error::not_supported);
  return hash;
}

Result<void> Hash::update(Bytes bytes) {
  if (!context_) return failure(Error::bad_state);
  return succeed(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()));
}

Result<Digest> Hash::finish() {
  if (!context_) return failure(Error::bad_state);
  Digest digest;
  unsigned int size = 0;
  const int result = EVP_DigestFinal_ex(context_.get(), raw(std::span<std::byte>(digest.storage)), &size);
  context_.reset();
  if (result != 1) return failure(Error::bad_state);
  digest.size = size;
  return digest;
}

Result<Digest> digest(std::string_view algorithm, Bytes bytes) {
  auto hash = Hash::create(algorithm);
  if (!hash) return failure(hash.error());
  if (const auto updated = hash->update(bytes); !updated) return failure(updated.error());
  return hash->finish();
}

Result<void> pbkdf2(std::string_view algorithm, Bytes password, Bytes salt, std::uint32_t iterations,
                    std::span<std::byte> into) {
  const EVP_MD* function = find(algorithm);
  if (!function) return failure(Error::not_supported);
  const bool fits = fits_int(password.size()) && fits_int(salt.size()) && fits_int(into.size());
  if (!fits || iterations < 1 || iterations > INT_MAX) return failure(Error::bad_state);
  return succeed(PKCS5_PBKDF2_HMAC(text(password), static_cast<int>(password.size()), raw(salt),
                                   static_cast<int>(salt.size()), static_cast<int>(iterations), function,
                                   static_cast<int>(into.size()), raw(into)));
}

Result<void> scrypt(Bytes password, Bytes salt, ScryptCost cost, std::span<std::byte> into) {
  return succeed(EVP_PBE_scrypt(text(password), password.size(), raw(salt), salt.size(), cost.cost,
                                cost.block_size, cost.parallelism, cost.memory_bytes_max, raw(into),
                                into.size()));
}

Result<void> random(std::span<std::byte> into) {
  if (!fits_int(into.size())) return failure(Error::bad_state);
  return succeed(RAND_bytes(raw(into), static_cast<int>(into.size())));
}

}  // namespace refloop::crypto
