// The header fields of one message: where each lies, in the order they came.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "reference-loop/http_parser/syntax.h"

namespace http_parser {

struct Header {
  std::string_view name;   // as sent; compare without case
  std::string_view value;  // without the surrounding spaces and tabs
};

// A part of a message by offset: the message may move from the input into a parser's own buffer.
struct Slice {
  std::uint32_t begin = 0;
  std::uint32_t size = 0;
};

// Valid, like the views it hands out, until the next feed() of its parser.
class FieldList {
 public:
  std::size_t size() const { return places_.size(); }
  bool empty() const { return places_.empty(); }
  Header operator[](std::size_t index) const {
    const Place& place = places_[index];
    return {view(place.name), view(place.value)};
  }
  // The first field of that name, compared without case.
  std::optional<std::string_view> find(std::string_view name) const {
    for (const Place& place : places_) {
      if (place.name.size == name.size() && syntax::equal_without_case(view(place.name), name))
        return view(place.value);
    }
    return std::nullopt;
  }

 private:
  friend class MessageParser;
  struct Place {
    Slice name;
    Slice value;
  };
  std::string_view view(Slice slice) const { return {base_ + slice.begin, slice.size}; }

  const char* base_ = nullptr;
  std::vector<Place> places_;
};

}  // namespace http_parser
