// crypto, service half: key derivation and digests, offloaded as the architecture offloads them.

#include "harness/vocabulary/service.h"

#include <array>
#include <bit>

#include "harness/base/random.h"
#include "workloads/parameters.h"
#include "workloads/query.h"

namespace tickmark {
namespace {

constexpr uint64_t kBlocks = 8;
constexpr size_t kBlockBytes = 1 << 20;
// What one request may cost at most; beyond is a malformed parameter.
constexpr uint64_t kKeyBytesMax = 1024, kIterationsMax = 10'000'000, kScryptNMax = 1 << 20, kScryptRMax = 32,
                   kScryptPMax = 16;

std::string make_block(uint64_t seed) {
  SplitMix64 random(seed);
  std::string block(kBlockBytes, '\0');
  for (size_t i = 0; i < kBlockBytes; i += 8) {
    const uint64_t word = random.next();
    for (size_t j = 0; j < 8; ++j) block[i + j] = static_cast<char>(word >> (8 * j));
  }
  return block;
}

void reply_digest(Exchange& exchange, WorkOutcome outcome) {
  if (outcome.error) return exchange.reply(500, "the operation failed\n");
  exchange.reply(200, outcome.text);
}

class Crypto final : public HttpService {
 public:
  Crypto() {
    for (uint64_t k = 0; k < kBlocks; ++k) blocks_[k] = make_block(k);
  }

  void on_request(const HttpRequest& request, Exchange& exchange) const override {
    if (request.method != "GET") return exchange.reply(404, "not found\n");
    if (request.path == "/crypto/pbkdf2") return pbkdf2(request.query, exchange);
    if (request.path == "/crypto/scrypt") return scrypt(request.query, exchange);
    if (request.path == "/crypto/sha256") return sha256(request.query, exchange);
    exchange.reply(404, "not found\n");
  }

 private:
  static void pbkdf2(std::string_view query, Exchange& exchange) {
    const auto password = workloads::query_value(query, "password"),
               salt = workloads::query_value(query, "salt");
    const auto iterations = workloads::query_number(query, "iterations", 1, kIterationsMax);
    const auto bytes = workloads::query_number(query, "bytes", 1, kKeyBytesMax);
    if (!password || !salt || !iterations || !bytes) {
      return exchange.reply(400, "expected password, salt, iterations and bytes\n");
    }
    DeriveKey work{.password = std::string(*password), .salt = std::string(*salt)};
    work.iterations = static_cast<uint32_t>(*iterations);
    work.key_bytes = static_cast<uint32_t>(*bytes);
    exchange.offload(std::move(work), reply_digest);
  }

  static void scrypt(std::string_view query, Exchange& exchange) {
    const auto password = workloads::query_value(query, "password"),
               salt = workloads::query_value(query, "salt");
    const auto n = workloads::query_number(query, "n", 2, kScryptNMax);
    const auto r = workloads::query_number(query, "r", 1, kScryptRMax);
    const auto p = workloads::query_number(query, "p", 1, kScryptPMax);
    const auto bytes = workloads::query_number(query, "bytes", 1, kKeyBytesMax);
    if (!password || !salt || !n || !std::has_single_bit(*n) || !r || !p || !bytes) {
      return exchange.reply(400, "expected password, salt, n (a power of two), r, p and bytes\n");
    }
    DeriveKey work{.function = DeriveKey::Function::kScrypt,
                   .password = std::string(*password),
                   .salt = std::string(*salt)};
    work.scrypt_n = *n;
    work.scrypt_r = static_cast<uint32_t>(*r);
    work.scrypt_p = static_cast<uint32_t>(*p);
    work.key_bytes = static_cast<uint32_t>(*bytes);
    exchange.offload(std::move(work), reply_digest);
  }

  void sha256(std::string_view query, Exchange& exchange) const {
    const auto block = workloads::query_number(query, "block", 0, kBlocks - 1);
    if (!block) return exchange.reply(400, "expected block from 0 to 7\n");
    exchange.offload(Digest{blocks_[*block]}, reply_digest);
  }

  std::array<std::string, kBlocks> blocks_;
};

}  // namespace

Expected<Service> make_service_crypto(const Parameters& params) {
  if (auto ok = workloads::check_names("crypto", params, {"iterations", "scrypt_n"}); !ok) {
    return std::unexpected(ok.error());
  }
  Service service;
  service.http = std::make_unique<Crypto>();
  return service;
}

}  // namespace tickmark
