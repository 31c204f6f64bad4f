#include "conformance/players/wire_answers.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <optional>
#include <utility>

namespace tickmark::conformance::wire {

namespace {

constexpr std::string_view kLineEnd = "\r\n";

bool equal_without_case(std::string_view a, std::string_view b) {
  return std::ranges::equal(
      a, b, [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

// The value of a field, without the blanks around it.
std::optional<std::string_view> field(std::string_view head, std::string_view name) {
  for (size_t at = head.find(kLineEnd); at != std::string_view::npos;) {
    const size_t begin = at + 2;
    const size_t end = head.find(kLineEnd, begin);
    const std::string_view line = head.substr(begin, end == std::string_view::npos ? end : end - begin);
    const size_t colon = line.find(':');
    if (colon != std::string_view::npos && equal_without_case(line.substr(0, colon), name)) {
      std::string_view value = line.substr(colon + 1);
      while (value.starts_with(' ')) value.remove_prefix(1);
      while (value.ends_with(' ')) value.remove_suffix(1);
      return value;
    }
    at = end;
  }
  return std::nullopt;
}

std::optional<size_t> number(std::string_view text, int base) {
  size_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc{} || end == text.data()) return std::nullopt;
  return value;
}

bool has_no_body(int status) { return status / 100 == 1 || status == 204 || status == 304; }

}  // namespace

bool AnswerReader::feed(std::string_view bytes) {
  input_.append(bytes);
  while (!until_end_) {
    switch (take()) {
      case Taken::answer:
        break;
      case Taken::too_little:
        return true;
      case Taken::nonsense:
        return false;
    }
  }
  return true;
}

void AnswerReader::end() {
  if (!std::exchange(until_end_, false)) return;
  current_.body = std::exchange(input_, {});
  answers_.push_back(std::move(current_));
}

AnswerReader::Taken AnswerReader::take() {
  constexpr std::string_view kVersion = "HTTP/1.";
  const std::string_view begin = std::string_view(input_).substr(0, kVersion.size());
  if (!kVersion.starts_with(begin)) return Taken::nonsense;
  const size_t head_size = input_.find("\r\n\r\n");
  if (head_size == std::string::npos) return Taken::too_little;
  const std::string_view head = std::string_view(input_).substr(0, head_size);
  const auto status = number(head.substr(std::min(head.size(), kVersion.size() + 2)), 10);
  if (!status) return Taken::nonsense;
  Answer answer{static_cast<int>(*status), {}};
  const size_t body = head_size + 4;
  if (has_no_body(answer.status)) {
    input_.erase(0, body);
    if (answer.status >= 200) answers_.push_back(std::move(answer));
    return Taken::answer;
  }
  if (const auto length = field(head, "Content-Length")) {
    const auto size = number(*length, 10);
    if (!size) return Taken::nonsense;
    if (input_.size() - body < *size) return Taken::too_little;
    answer.body = input_.substr(body, *size);
    input_.erase(0, body + *size);
    answers_.push_back(std::move(answer));
    return Taken::answer;
  }
  if (field(head, "Transfer-Encoding")) return take_chunked(body, std::move(answer));
  current_ = std::move(answer);
  input_.erase(0, body);
  until_end_ = true;
  return Taken::answer;
}

AnswerReader::Taken AnswerReader::take_chunked(size_t at, Answer answer) {
  while (true) {
    const size_t line = input_.find(kLineEnd, at);
    if (line == std::string::npos) return Taken::too_little;
    const auto size = number(std::string_view(input_).substr(at, line - at), 16);
    if (!size) return Taken::nonsense;
    const size_t data = line + 2;
    if (input_.size() < data + *size + 2) return Taken::too_little;
    answer.body.append(input_, data, *size);
    at = data + *size + 2;
    if (*size > 0) continue;
    input_.erase(0, at);  // trailers are none of ours
    answers_.push_back(std::move(answer));
    return Taken::answer;
  }
}

}  // namespace tickmark::conformance::wire
