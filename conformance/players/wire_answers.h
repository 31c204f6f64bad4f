#pragma once
// HTTP/1.1 answers out of a stream of bytes: as much of the protocol as a client needs that asks with GET and
// knows what is right. Apart from every parser under test.

#include <cstddef>
#include <deque>
#include <string>
#include <string_view>

namespace tickmark::conformance::wire {

struct Answer {
  int status = 0;
  std::string body;
};

class AnswerReader {
 public:
  /// Takes in what arrived. False: this is no HTTP.
  bool feed(std::string_view bytes);
  /// The peer ended: an answer that lasts until then is complete.
  void end();

  /// Complete ones, oldest first; interim answers (1xx) are passed over.
  std::deque<Answer>& answers() { return answers_; }
  /// Bytes of an answer that is not complete.
  bool is_amid() const { return !input_.empty() || until_end_; }

 private:
  enum class Taken { answer, too_little, nonsense };

  Taken take();
  Taken take_chunked(size_t at, Answer answer);

  std::string input_;
  std::deque<Answer> answers_;
  bool until_end_ = false;  ///< the first in input_ has no length: input_ is its body
  Answer current_;          ///< of that one
};

}  // namespace tickmark::conformance::wire
