#pragma once
// How the requests of a lane become bytes and how its replies are verified, byte by byte: one class for HTTP
// client halves, one for byte streams. Neither knows sockets.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "harness/load/lane_core.h"
#include "harness/load/response_reader.h"
#include "harness/vocabulary/client.h"

namespace tickmark::load {

class Protocol {
 public:
  using Step = ResponseReader::Step;
  using Outcome = ResponseReader::Outcome;

  virtual ~Protocol() = default;
  virtual Discipline discipline() const = 0;
  /// All bytes of request `number`; valid until the next call.
  virtual std::string_view bytes(uint64_t number) = 0;
  /// Takes bytes received on `connection`, of the reply to request `number`.
  virtual Step verify(uint32_t connection, uint64_t number, std::string_view bytes) = 0;
  /// What was wrong with the last reply of `connection`: the request, what was expected, what was seen.
  virtual std::string fault(uint32_t connection, uint64_t number) = 0;
  /// The connection is gone; its half-read reply too.
  virtual void reset(uint32_t connection) = 0;
  /// The subject announced that it closes this connection after the reply just read.
  virtual bool closes_after_reply(uint32_t connection) const = 0;
  /// Bytes before the body of the reply just read on `connection`; 0 for streams.
  virtual uint64_t head_bytes(uint32_t connection) const = 0;
  /// Bytes of that body; 0 for streams.
  virtual uint64_t body_bytes(uint32_t connection) const = 0;
};

/// `client` is borrowed and must outlive the protocol.
std::unique_ptr<Protocol> make_protocol(const Client& client, int connections);

class HttpProtocol final : public Protocol {
 public:
  HttpProtocol(const HttpClient& client, int connections);
  Discipline discipline() const override { return Discipline::kOneAtATime; }
  std::string_view bytes(uint64_t number) override { return client_.request(number, scratch_); }
  Step verify(uint32_t connection, uint64_t number, std::string_view bytes) override;
  std::string fault(uint32_t connection, uint64_t number) override;
  void reset(uint32_t connection) override { readers_[connection].reset(); }
  bool closes_after_reply(uint32_t connection) const override { return !readers_[connection].keeps_open(); }
  uint64_t head_bytes(uint32_t connection) const override { return readers_[connection].head_bytes(); }
  uint64_t body_bytes(uint32_t connection) const override { return readers_[connection].body_bytes(); }

 private:
  const HttpClient& client_;
  std::string scratch_;
  std::vector<ResponseReader> readers_;
};

class StreamProtocol final : public Protocol {
 public:
  StreamProtocol(const StreamClient& client, int connections);
  Discipline discipline() const override { return Discipline::kPipelined; }
  std::string_view bytes(uint64_t number) override;
  Step verify(uint32_t connection, uint64_t number, std::string_view bytes) override;
  std::string fault(uint32_t connection, uint64_t number) override;
  void reset(uint32_t connection) override { replies_[connection] = {}; }
  bool closes_after_reply(uint32_t) const override { return false; }
  uint64_t head_bytes(uint32_t) const override { return 0; }
  uint64_t body_bytes(uint32_t) const override { return 0; }

 private:
  struct Reply {
    size_t seen = 0;             // bytes of the current reply
    size_t wrong_at = SIZE_MAX;  // first wrong byte of the current or last wrong reply
  };
  const StreamClient& client_;
  std::string message_, expected_;
  uint64_t message_number_ = UINT64_MAX;   // which one stands in message_
  uint64_t expected_number_ = UINT64_MAX;  // whose reply stands in expected_
  std::vector<Reply> replies_;
};

}  // namespace tickmark::load
