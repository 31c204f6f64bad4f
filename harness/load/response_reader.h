#pragma once
// Reads one HTTP/1.1 reply at a time, strictly, and compares its body with the one correct body while it
// arrives, so that a 1 MiB reply is verified without being kept. It is the ruler's own reader: no code is
// shared with the parsers under test, else both could be wrong together.
//
// Goals: bytes in any pieces give the same answer as the whole; limits on everything; one sentence per fault.
// Non-goals: bodies that end with the connection, obsolete line folding, trailers' meaning.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace tickmark::load {

/// What the reply to one request must be. Views are borrowed until the reply is complete.
struct ExpectedReply {
  int status = 200;
  std::string_view body;
  bool head_only = false;  ///< no body follows whatever the length says (HEAD)
  std::string* collect =
      nullptr;  ///< set: any final status is taken and the body is appended here, not compared
};

class ResponseReader {
 public:
  static constexpr size_t kHeadBytesMax = size_t{64} * 1024;  ///< of one reply, status line included
  static constexpr size_t kCollectBytesMax = size_t{64} * 1024 * 1024;  ///< of a collected body

  enum class Outcome {
    kMore,     ///< the reply is not complete; all bytes were consumed
    kCorrect,  ///< complete and as expected
    kWrong,    ///< complete, framing intact, but status or body differ: see fault()
    kBroken,   ///< no HTTP/1.1 reply: nothing after this can be trusted, see fault()
  };
  struct Step {
    Outcome outcome = Outcome::kMore;
    size_t consumed = 0;  ///< bytes of this reply; what follows belongs to the next one
  };

  /// Takes bytes of the current reply. After kCorrect or kWrong the reader is ready for the next reply;
  /// after kBroken only reset() helps. `expected` must be the same for all pieces of one reply.
  Step feed(std::string_view bytes, const ExpectedReply& expected);

  /// Forgets a half-read reply (the connection was closed).
  void reset();

  bool in_reply() const { return state_ != State::kStatusLine || head_bytes_ > 0; }  ///< some bytes were seen
  int status() const { return status_; }  ///< of the current or last reply
  uint64_t head_bytes() const {
    return head_bytes_done_;
  }  ///< status line and headers of the last complete head
  uint64_t body_bytes() const {
    return body_bytes_;
  }                                                ///< of the current or last body, framing of chunks apart
  bool keeps_open() const { return keeps_open_; }  ///< false: the subject announced to close after it
  std::string fault() const;                       ///< of the last kWrong or kBroken; "" otherwise

 private:
  enum class State : uint8_t { kStatusLine, kHeader, kBody, kChunkSize, kChunkData, kChunkEnd, kTrailer };
  enum class Fault : uint8_t {
    kNone,
    kHeadTooLong,
    kStatusLine,
    kHeaderLine,
    kLength,
    kTwoLengths,
    kNoLength,
    kCoding,
    kChunk,
    kTooLarge,
    kStatus,
    kBodyByte,
    kBodyShort,
    kBodyLong,
  };

  bool take_line(std::string_view bytes, size_t& at, std::string_view& line);
  bool on_status_line(std::string_view line);
  bool on_header(std::string_view line);
  bool on_head_end(const ExpectedReply& expected);
  bool on_chunk_size(std::string_view line);
  void on_body(std::string_view piece, const ExpectedReply& expected);
  bool step(std::string_view bytes, size_t& at, const ExpectedReply& expected);
  bool broken(Fault fault);
  void differ(Fault fault, uint64_t at);
  Outcome finish(const ExpectedReply& expected);

  State state_ = State::kStatusLine;
  Fault fault_ = Fault::kNone;
  bool broken_ = false;
  bool complete_ = false;
  bool has_length_ = false;
  bool chunked_ = false;
  bool keeps_open_ = true;
  int status_ = 0;
  int status_expected_ = 0;
  uint64_t head_bytes_ = 0;
  uint64_t head_bytes_done_ = 0;
  uint64_t length_ = 0;      // of the body, or of the current chunk
  uint64_t body_bytes_ = 0;  // seen
  uint64_t fault_at_ = 0;    // byte of the body where it first differs, or a length
  uint64_t fault_expected_ = 0;
  std::string line_;  // a line whose end has not arrived; empty while lines arrive whole
};

}  // namespace tickmark::load
