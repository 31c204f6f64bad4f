#pragma once
// Reading JSON that others wrote. A missing key, a null and a value of another type are all "absent":
// whoever needs the value says so in its own error sentence. Nothing here throws.

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace tickmark::output {

using Json = nlohmann::json;

/// The member `key` of an object; null if `object` is none or has no such member. Borrowed from `object`.
const Json& member(const Json& object, std::string_view key);
/// A list; an empty one if the member is absent or no list. Borrowed from `object`.
const Json& list_at(const Json& object, std::string_view key);
std::string text_at(const Json& object, std::string_view key, std::string_view fallback = "");
/// A finite number; nothing if absent, null, or of another type.
std::optional<double> number_at(const Json& object, std::string_view key);
/// A whole number in the range of int64_t; nothing otherwise.
std::optional<int64_t> integer_at(const Json& object, std::string_view key);
std::optional<bool> flag_at(const Json& object, std::string_view key);

/// The bytes of a document as we write it: indented for people, invalid UTF-8 replaced (a subject's stderr
/// may hold anything), one line feed at the end.
std::string document_text(const Json& document);
/// The same as one line of a line file, line feed included.
std::string line_text(const Json& document);

}  // namespace tickmark::output
