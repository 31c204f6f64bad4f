#include "harness/load/protocol.h"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <fmt/core.h>

namespace tickmark::load {

std::unique_ptr<Protocol> make_protocol(const Client& client, int connections) {
  assert((client.http != nullptr) != (client.stream != nullptr));
  if (client.http) return std::make_unique<HttpProtocol>(*client.http, connections);
  return std::make_unique<StreamProtocol>(*client.stream, connections);
}

HttpProtocol::HttpProtocol(const HttpClient& client, int connections)
    : client_(client), readers_(static_cast<size_t>(connections)) {}

Protocol::Step HttpProtocol::verify(uint32_t connection, uint64_t number, std::string_view bytes) {
  ExpectedReply expected{.status = client_.expected_status(number),
                         .body = client_.expected_body(number),
                         .head_only = client_.head_only(number)};
  return readers_[connection].feed(bytes, expected);
}

std::string HttpProtocol::fault(uint32_t connection, uint64_t number) {
  constexpr size_t kShown = 120;
  std::string_view request = bytes(number);
  std::string_view first_line = request.substr(0, std::min(request.find('\r'), kShown));
  return fmt::format("request {} ({}): {}", number, first_line, readers_[connection].fault());
}

StreamProtocol::StreamProtocol(const StreamClient& client, int connections)
    : client_(client), replies_(static_cast<size_t>(connections)) {
  message_.resize(client.message_bytes());
  expected_.resize(client.message_bytes());
}

std::string_view StreamProtocol::bytes(uint64_t number) {
  if (message_number_ != number) {
    client_.message(number, std::as_writable_bytes(std::span(message_)));
    message_number_ = number;
  }
  return message_;
}

Protocol::Step StreamProtocol::verify(uint32_t connection, uint64_t number, std::string_view bytes) {
  if (expected_number_ != number) {
    client_.expected_reply(number, std::as_writable_bytes(std::span(expected_)));
    expected_number_ = number;
  }
  Reply& reply = replies_[connection];
  if (reply.seen == 0) reply.wrong_at = SIZE_MAX;
  size_t take = std::min(bytes.size(), expected_.size() - reply.seen);
  const char* correct = expected_.data() + reply.seen;
  if (reply.wrong_at == SIZE_MAX && std::memcmp(bytes.data(), correct, take) != 0) {
    auto differs = std::mismatch(bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(take), correct);
    reply.wrong_at = reply.seen + static_cast<size_t>(differs.first - bytes.begin());
  }
  reply.seen += take;
  if (reply.seen < expected_.size()) return {Outcome::kMore, take};
  reply.seen = 0;
  return {reply.wrong_at == SIZE_MAX ? Outcome::kCorrect : Outcome::kWrong, take};
}

std::string StreamProtocol::fault(uint32_t connection, uint64_t number) {
  return fmt::format("message {}: its reply of {} bytes differs from the expected one at byte {}", number,
                     expected_.size(), replies_[connection].wrong_at);
}

}  // namespace tickmark::load
