// Character classes and comparisons of RFC 9110/9112, shared by the head and the chunk reader.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace http_parser::syntax {

// tchar of RFC 9110 5.6.2: what methods and field names are made of.
constexpr bool is_token_char(unsigned char c) {
  if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z')) return true;
  return c != 0 && std::string_view("!#$%&'*+-.^_`|~").find(static_cast<char>(c)) != std::string_view::npos;
}

// VCHAR, SP, HTAB and obs-text: what a field value may hold. No control characters, so no bare CR.
constexpr bool is_value_char(unsigned char c) { return c == '\t' || (c >= 0x20 && c != 0x7f); }

// Visible ASCII: what a request target may hold.
constexpr bool is_target_char(unsigned char c) { return c > 0x20 && c < 0x7f; }

template <bool (*kTest)(unsigned char)>
constexpr std::array<bool, 256> make_table() {
  std::array<bool, 256> table{};
  for (std::size_t c = 0; c < table.size(); ++c) table[c] = kTest(static_cast<unsigned char>(c));
  return table;
}

// One table look-up per byte: these loops see every byte of every head.
template <bool (*kTest)(unsigned char)>
bool all_of(std::string_view text) {
  static constexpr std::array<bool, 256> kTable = make_table<kTest>();
  for (char c : text) {
    if (!kTable[static_cast<unsigned char>(c)]) return false;
  }
  return true;
}

constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

constexpr bool equal_without_case(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (lower(a[i]) != lower(b[i])) return false;
  }
  return true;
}

constexpr bool is_blank(char c) { return c == ' ' || c == '\t'; }

// Without leading and trailing optional white space.
constexpr std::string_view trim(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

}  // namespace http_parser::syntax
