#pragma once
// The client half of a workload: what is asked, and what the one correct answer is. Identical work is
// proven, not assumed: the generator compares every byte of every reply with what stands here.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "harness/base/error.h"
#include "harness/vocabulary/service.h"

namespace tickmark {

/// Requests of an HTTP workload. Requests are numbered from 0 per lane; everything is a pure function of
/// (setup, number), so that two subjects get the same work. All views live as long as the client half,
/// or, where `scratch` is used, until its next use.
class HttpClient {
 public:
  virtual ~HttpClient() = default;
  /// The complete request, head and body.
  virtual std::string_view request(uint64_t number, std::string& scratch) const = 0;
  virtual int expected_status(uint64_t number) const { return (void)number, 200; }
  /// The one correct body.
  virtual std::string_view expected_body(uint64_t number) const = 0;
  /// Whether the reply carries no body whatever Content-Length says (HEAD).
  virtual bool head_only(uint64_t number) const { return (void)number, false; }
};

/// Messages of a byte-stream workload with one reply per message, in order.
class StreamClient {
 public:
  virtual ~StreamClient() = default;
  /// Size of every message and of every reply, in bytes, >= 8.
  virtual size_t message_bytes() const = 0;
  /// Writes message `number`: its first 8 bytes carry the number, little-endian.
  virtual void message(uint64_t number, std::span<std::byte> out) const = 0;
  /// Writes the one correct reply to it.
  virtual void expected_reply(uint64_t number, std::span<std::byte> out) const = 0;
};

/// What a client half is made from.
struct ClientSetup {
  Parameters params;               ///< of the workload, defaults filled in
  std::string variant;             ///< one of the spec's variants; "" = the first
  std::string host = "127.0.0.1";  ///< Host header
  std::filesystem::path folder;    ///< an existing folder of the harness, for files the workload needs
  uint64_t seed = 1;
};

/// A client half: exactly one of `http` and `stream` is set. `subject_params` go to the subject as --param.
struct Client {
  std::unique_ptr<HttpClient> http;
  std::unique_ptr<StreamClient> stream;
  Parameters subject_params;
};

}  // namespace tickmark
