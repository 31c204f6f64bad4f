#pragma once
// Reading the kernel's text files: lines of "key: value", one value per file. Not for use outside of this
// folder.

#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tickmark::process {

inline std::string_view trim(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

inline std::vector<std::string_view> split_lines(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const size_t newline = text.find('\n');
    lines.push_back(text.substr(0, newline));
    if (newline == std::string_view::npos) break;
    text.remove_prefix(newline + 1);
  }
  return lines;
}

/// Separated by any number of blanks.
inline std::vector<std::string_view> split_words(std::string_view text) {
  std::vector<std::string_view> words;
  while (!(text = trim(text)).empty()) {
    const size_t blank = text.find_first_of(" \t");
    words.push_back(text.substr(0, blank));
    if (blank == std::string_view::npos) break;
    text.remove_prefix(blank);
  }
  return words;
}

/// The number `text` begins with; `fallback` if there is none.
inline int64_t to_integer(std::string_view text, int64_t fallback = 0) {
  text = trim(text);
  int64_t value = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  return result.ec == std::errc() ? value : fallback;
}

/// What follows `key` on the first line that begins with it, trimmed; "" if none does.
inline std::string_view value_of(std::string_view text, std::string_view key) {
  for (const std::string_view line : split_lines(text)) {
    if (line.starts_with(key)) return trim(line.substr(key.size()));
  }
  return {};
}

}  // namespace tickmark::process
