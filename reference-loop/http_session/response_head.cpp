#include "reference-loop/http_session/response_head.h"

#include <array>
#include <charconv>
#include <chrono>
#include <cstring>
#include <ctime>

#include "reference-loop/http_parser/syntax.h"

namespace http_session {
namespace {

using http_parser::syntax::equal_without_case;

struct StatusLine {
  int status;
  std::string_view line;
};
constexpr std::string_view kVersion = "HTTP/1.1 ";
constexpr StatusLine kStatusLines[] = {{200, "HTTP/1.1 200 OK\r\n"},
                                       {201, "HTTP/1.1 201 Created\r\n"},
                                       {202, "HTTP/1.1 202 Accepted\r\n"},
                                       {204, "HTTP/1.1 204 No Content\r\n"},
                                       {206, "HTTP/1.1 206 Partial Content\r\n"},
                                       {301, "HTTP/1.1 301 Moved Permanently\r\n"},
                                       {302, "HTTP/1.1 302 Found\r\n"},
                                       {303, "HTTP/1.1 303 See Other\r\n"},
                                       {304, "HTTP/1.1 304 Not Modified\r\n"},
                                       {307, "HTTP/1.1 307 Temporary Redirect\r\n"},
                                       {308, "HTTP/1.1 308 Permanent Redirect\r\n"},
                                       {400, "HTTP/1.1 400 Bad Request\r\n"},
                                       {401, "HTTP/1.1 401 Unauthorized\r\n"},
                                       {403, "HTTP/1.1 403 Forbidden\r\n"},
                                       {404, "HTTP/1.1 404 Not Found\r\n"},
                                       {405, "HTTP/1.1 405 Method Not Allowed\r\n"},
                                       {408, "HTTP/1.1 408 Request Timeout\r\n"},
                                       {409, "HTTP/1.1 409 Conflict\r\n"},
                                       {411, "HTTP/1.1 411 Length Required\r\n"},
                                       {413, "HTTP/1.1 413 Content Too Large\r\n"},
                                       {417, "HTTP/1.1 417 Expectation Failed\r\n"},
                                       {429, "HTTP/1.1 429 Too Many Requests\r\n"},
                                       {431, "HTTP/1.1 431 Request Header Fields Too Large\r\n"},
                                       {500, "HTTP/1.1 500 Internal Server Error\r\n"},
                                       {501, "HTTP/1.1 501 Not Implemented\r\n"},
                                       {502, "HTTP/1.1 502 Bad Gateway\r\n"},
                                       {503, "HTTP/1.1 503 Service Unavailable\r\n"},
                                       {505, "HTTP/1.1 505 HTTP Version Not Supported\r\n"}};

// Empty if there is none.
std::string_view status_line(int status) {
  for (const StatusLine& entry : kStatusLines) {
    if (entry.status == status) return entry.line;
  }
  return {};
}

char* put(char* to, std::string_view text) {
  std::memcpy(to, text.data(), text.size());
  return to + text.size();
}
char* put_number(char* to, std::size_t number) { return std::to_chars(to, to + 20, number).ptr; }
char* put_two_digits(char* to, unsigned number) {
  to[0] = static_cast<char>('0' + number / 10);
  to[1] = static_cast<char>('0' + number % 10);
  return to + 2;
}

// More than everything in a head that is not the caller's.
constexpr std::size_t kOwnBytesMax = 256;

}  // namespace

std::string_view reason_phrase(int status) {
  const std::string_view line = status_line(status);
  if (line.empty()) return "Unknown";
  return line.substr(kVersion.size() + 4, line.size() - kVersion.size() - 6);
}

bool FieldBlock::add(std::string_view name, std::string_view value) {
  using namespace http_parser::syntax;
  if (name.empty() || !all_of<is_token_char>(name) || !all_of<is_value_char>(value)) return false;
  for (const char* own : {"connection", "content-length", "date", "expect", "host", "transfer-encoding"}) {
    if (equal_without_case(name, own)) return false;
  }
  text_.append(name).append(": ").append(value).append("\r\n");
  return true;
}

void write_date_line(std::int64_t unix_seconds, char* to) {
  using namespace std::chrono;
  static constexpr std::string_view kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr std::string_view kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                 "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const sys_seconds time{seconds{unix_seconds}};
  const sys_days day = floor<days>(time);
  const year_month_day date{day};
  const hh_mm_ss clock{time - day};
  char* at = put(to, "Date: ");
  at = put(put(at, kDays[weekday{day}.c_encoding()]), ", ");
  *(at = put_two_digits(at, static_cast<unsigned>(date.day()))) = ' ';
  at = put(at + 1, kMonths[static_cast<unsigned>(date.month()) - 1]);
  *at++ = ' ';
  const auto year = static_cast<unsigned>(static_cast<int>(date.year()));
  at = put_two_digits(put_two_digits(at, year / 100 % 100), year % 100);
  *at++ = ' ';
  *(at = put_two_digits(at, static_cast<unsigned>(clock.hours().count()))) = ':';
  *(at = put_two_digits(at + 1, static_cast<unsigned>(clock.minutes().count()))) = ':';
  at = put_two_digits(at + 1, static_cast<unsigned>(clock.seconds().count()));
  put(at, " GMT\r\n");
}

std::string_view date_line() {
  static thread_local std::int64_t second = -1;
  static thread_local std::array<char, kDateLineBytes> line;
  if (const std::int64_t now = std::time(nullptr); now != second) {
    second = now;
    write_date_line(now, line.data());
  }
  return {line.data(), line.size()};
}

// In one go behind a pointer: this is what a small reply costs.
void append_head(std::string& out, const ResponseHead& head) {
  const std::size_t before = out.size();
  const auto write = [&](char* begin, std::size_t) {
    char* at = begin + before;
    if (const std::string_view line = status_line(head.status); !line.empty()) [[likely]]
      at = put(at, line);
    else
      at = put(put_number(put(at, kVersion), static_cast<std::size_t>(head.status)), " Unknown\r\n");
    if (head.content_length) at = put(put_number(put(at, "Content-Length: "), *head.content_length), "\r\n");
    if (head.chunked) at = put(at, "Transfer-Encoding: chunked\r\n");
    if (head.with_date) at = put(at, date_line());
    if (!head.fields.empty()) at = put(at, head.fields);
    if (!head.connection.empty()) at = put(put(put(at, "Connection: "), head.connection), "\r\n");
    return static_cast<std::size_t>(put(at, "\r\n") - begin);
  };
  out.resize_and_overwrite(before + kOwnBytesMax + head.fields.size(), write);
}

void append_chunk_size(std::string& out, std::size_t size) {
  char digits[16];
  const auto end = std::to_chars(digits, digits + sizeof(digits), size, 16).ptr;
  out.append(digits, end).append("\r\n");
}

}  // namespace http_session
