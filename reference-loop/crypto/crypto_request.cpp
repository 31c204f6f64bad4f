#include "reference-loop/crypto/crypto_request.h"

#include <utility>

namespace refloop {
namespace {

Error error_of(const Result<void>& result) { return result ? Error::none : result.error(); }

}  // namespace

void CryptoRequest::digest(std::string algorithm, Bytes bytes, Callback callback) {
  algorithm_ = std::move(algorithm);
  input_ = bytes;
  submit(
      [](CryptoRequest& self) {
        auto digest = crypto::digest(self.algorithm_, self.input_);
        if (!digest) return digest.error();
        self.digest_ = *digest;
        return Error::none;
      },
      callback);
}

void CryptoRequest::update(crypto::Hash& hash, Bytes bytes, Callback callback) {
  hash_ = &hash;
  input_ = bytes;
  submit([](CryptoRequest& self) { return error_of(self.hash_->update(self.input_)); }, callback);
}

void CryptoRequest::pbkdf2(std::string algorithm, Bytes password, Bytes salt, std::uint32_t iterations,
                           std::span<std::byte> into, Callback callback) {
  algorithm_ = std::move(algorithm);
  input_ = password;
  salt_ = salt;
  iterations_ = iterations;
  into_ = into;
  submit(
      [](CryptoRequest& self) {
        return error_of(
            crypto::pbkdf2(self.algorithm_, self.input_, self.salt_, self.iterations_, self.into_));
      },
      callback);
}

void CryptoRequest::scrypt(Bytes password, Bytes salt, crypto::ScryptCost cost, std::span<std::byte> into,
                           Callback callback) {
  input_ = password;
  salt_ = salt;
  cost_ = cost;
  into_ = into;
  submit(
      [](CryptoRequest& self) {
        return error_of(crypto::scrypt(self.input_, self.salt_, self.cost_, self.into_));
      },
      callback);
}

void CryptoRequest::random(std::span<std::byte> into, Callback callback) {
  into_ = into;
  submit([](CryptoRequest& self) { return error_of(crypto::random(self.into_)); }, callback);
}

void CryptoRequest::submit(Operation operation, Callback callback) {
  operation_ = operation;
  callback_ = callback;
  error_ = Error::none;
  loop_.pool().submit(
      *this,
      [](Work& work) {
        auto& self = static_cast<CryptoRequest&>(work);
        self.error_ = self.operation_(self);
      },
      [](Work& work, Error error) {
        auto& self = static_cast<CryptoRequest&>(work);
        if (self.callback_) self.callback_(self, error != Error::none ? error : self.error_);
      });
}

}  // namespace refloop
