// sockets, client half: numbered messages whose every byte follows from the number.

#include "harness/vocabulary/client.h"

#include <cassert>

#include "workloads/parameters.h"
#include "workloads/table_client.h"

namespace tickmark {
namespace {

class NumberedMessages final : public StreamClient {
 public:
  explicit NumberedMessages(size_t size) : size_(size) {}
  size_t message_bytes() const override { return size_; }
  void message(uint64_t number, std::span<std::byte> out) const override {
    assert(out.size() == size_);
    for (size_t i = 0; i < 8; ++i) out[i] = static_cast<std::byte>(number >> (8 * i));
    // The low byte of (number * 31 + i) depends on the low bytes only.
    const auto base = static_cast<uint8_t>(number * 31);
    for (size_t i = 8; i < size_; ++i) out[i] = static_cast<std::byte>(static_cast<uint8_t>(base + i));
  }
  void expected_reply(uint64_t number, std::span<std::byte> out) const override { message(number, out); }

 private:
  size_t size_;
};

}  // namespace

Expected<Client> make_client_sockets(const ClientSetup& setup) {
  if (auto ok = workloads::check_names("sockets", setup.params, {"size"}); !ok)
    return std::unexpected(ok.error());
  if (auto ok = workloads::pick_variant("sockets", setup.variant, {}); !ok)
    return std::unexpected(ok.error());
  const auto size = workloads::number_parameter("sockets", setup.params, "size", 64, 8, 65536);
  if (!size) return std::unexpected(size.error());
  Client client;
  client.stream = std::make_unique<NumberedMessages>(*size);
  return client;
}

}  // namespace tickmark
