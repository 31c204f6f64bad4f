// The URL of an outbound request, taken apart strictly: http or https, a host, perhaps a port, a target.
//
// Refused, because other readers would see another host in them: user names ("http://a@b/"), backslashes,
// blanks and control characters, bytes outside ASCII (a host is given in its ASCII form), empty or
// overlong hosts, ports beyond 65535. A fragment is cut off: it is not sent.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

namespace http_parser {

struct Url {
  bool is_https = false;
  std::string host;        // lower case, without the brackets of an IPv6 address
  std::uint16_t port = 0;  // the scheme's own if none is given
  std::string target;      // what a request line says: path and query, "/" at least
  std::string host_field;  // what the Host field says: with brackets, with the port if it is not the scheme's

  // The sentence says what is wrong.
  static std::expected<Url, const char*> parse(std::string_view text);
};

}  // namespace http_parser
