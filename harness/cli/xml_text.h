#pragma once

#include <string>
#include <string_view>

namespace tickmark::cli {

/// As text of an XML document; control characters, which XML 1.0 cannot hold, become blanks.
std::string xml_text(std::string_view text);

}  // namespace tickmark::cli
