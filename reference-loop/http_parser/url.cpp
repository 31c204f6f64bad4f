#include "reference-loop/http_parser/url.h"

#include <charconv>

#include "reference-loop/http_parser/syntax.h"

namespace http_parser {
namespace {

constexpr std::size_t kHostSizeMax = 253;  // RFC 1035 2.3.4

constexpr bool is_host_char(unsigned char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '-' || c == '.' || c == '_';
}
constexpr bool is_address_char(unsigned char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || c == ':' || c == '.';
}
constexpr bool is_url_char(unsigned char c) { return syntax::is_target_char(c) && c != '\\'; }

bool read_port(std::string_view text, std::uint16_t& port) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return !text.empty() && error == std::errc() && end == text.data() + text.size() && port != 0;
}

}  // namespace

std::expected<Url, const char*> Url::parse(std::string_view text) {
  if (!syntax::all_of<is_url_char>(text))
    return std::unexpected("the URL holds a character that must be encoded");
  Url url;
  const std::size_t scheme_size = text.find("://");
  if (scheme_size == std::string_view::npos) return std::unexpected("the URL has no scheme");
  const std::string_view scheme = text.substr(0, scheme_size);
  url.is_https = syntax::equal_without_case(scheme, "https");
  if (!url.is_https && !syntax::equal_without_case(scheme, "http"))
    return std::unexpected("the URL's scheme is neither http nor https");
  const std::uint16_t own_port = url.is_https ? 443 : 80;

  text = text.substr(scheme_size + 3);
  text = text.substr(0, text.find('#'));
  const std::size_t authority_size = text.find_first_of("/?");
  const std::string_view authority = text.substr(0, authority_size);
  const std::string_view rest = authority_size == std::string_view::npos ? "" : text.substr(authority_size);
  if (authority.find('@') != std::string_view::npos) return std::unexpected("the URL holds a user name");

  const bool bracketed = authority.starts_with('[');
  const std::size_t bracket = bracketed ? authority.find(']') : 0;
  if (bracket == std::string_view::npos) return std::unexpected("the URL's bracket is not closed");
  const std::size_t colon = authority.find(':', bracket);
  const std::string_view host = bracketed ? authority.substr(1, bracket - 1) : authority.substr(0, colon);
  if (bracketed && bracket + 1 != std::min(colon, authority.size()))
    return std::unexpected("something follows the URL's bracket");
  for (char c : host) url.host.push_back(syntax::lower(c));
  if (url.host.empty() || url.host.size() > kHostSizeMax)
    return std::unexpected("the URL's host is empty or too long");
  const bool is_host =
      bracketed ? syntax::all_of<is_address_char>(url.host) : syntax::all_of<is_host_char>(url.host);
  if (!is_host) return std::unexpected("the URL's host holds a character no host has");

  url.port = own_port;
  if (colon != std::string_view::npos && !read_port(authority.substr(colon + 1), url.port))
    return std::unexpected("the URL's port is not a number from 1 to 65535");
  url.target = rest.starts_with('/') ? rest : "/" + std::string(rest);
  url.host_field = bracketed ? "[" + url.host + "]" : url.host;
  if (url.port != own_port) url.host_field += ":" + std::to_string(url.port);
  return url;
}

}  // namespace http_parser
