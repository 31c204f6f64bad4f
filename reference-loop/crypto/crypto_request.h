// Cryptography on the worker pool: one request, one job. The blocking twins and their errors: crypto.h.
//
// The request, and everything it was given to read or to fill, is the caller's memory until its callback
// ran. Jobs compute (WorkClass::cpu); of several in flight any may end first.
#pragma once

#include <string>

#include "reference-loop/crypto/crypto.h"
#include "reference-loop/loop.h"
#include "reference-loop/pool.h"

namespace refloop {

class CryptoRequest : public Work {
 public:
  using Callback = void (*)(CryptoRequest&, Error error);  // none, canceled, or that of the blocking twin

  explicit CryptoRequest(Loop& loop) : loop_(loop) {}

  void digest(std::string algorithm, Bytes bytes, Callback callback);  // -> digest()
  // The next piece of a digest that comes piece by piece; one piece at a time per hash. finish() costs so
  // little that the loop thread can do it.
  void update(crypto::Hash& hash, Bytes bytes, Callback callback);
  void pbkdf2(std::string algorithm, Bytes password, Bytes salt, std::uint32_t iterations,
              std::span<std::byte> into, Callback callback);
  void scrypt(Bytes password, Bytes salt, crypto::ScryptCost cost, std::span<std::byte> into,
              Callback callback);
  void random(std::span<std::byte> into, Callback callback);

  // Not started yet: the callback gets Error::canceled. Else Error::busy.
  Result<void> cancel() { return loop_.pool().cancel(*this); }

  // Valid in and after the callback of digest() without error.
  const crypto::Digest& digest() const { return digest_; }
  Loop& loop() const { return loop_; }

 private:
  using Operation = Error (*)(CryptoRequest&);  // on a worker

  void submit(Operation operation, Callback callback);

  Loop& loop_;
  Callback callback_ = nullptr;
  Operation operation_ = nullptr;
  Error error_ = Error::none;
  std::string algorithm_;
  Bytes input_;  // what is hashed, or the password
  Bytes salt_;
  std::uint32_t iterations_ = 0;
  crypto::ScryptCost cost_;
  std::span<std::byte> into_;
  crypto::Hash* hash_ = nullptr;
  crypto::Digest digest_;
};

}  // namespace refloop
