#pragma once
// Version ranges of rules, keyed on what a subject's `describe` reports: a rule that came with libuv 1.45
// says nothing about 1.44, and `--as libuv@1.52` judges an old library as though it claimed the new rules.

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "harness/base/error.h"

namespace tickmark::conformance {

using Versions = std::map<std::string, std::string>;  ///< component (node, uv, v8, ...) -> version text

struct VersionRange {
  Versions since;  ///< inclusive
  Versions until;  ///< exclusive
};

/// Numeric comparison of dotted versions, missing parts zero, "v" and anything after the numbers ignored:
/// negative, zero or positive as a <, ==, > b.
int compare_versions(std::string_view a, std::string_view b);

/// Why a subject of these versions is outside the range ("needs uv >= 1.45, this is 1.44.2"); nothing when it
/// is inside. A component the subject does not report binds nothing.
std::optional<std::string> outside(const VersionRange& range, const Versions& versions);

/// `libuv@1.52` -> {"uv": "1.52"}: the component a name stands for.
Expected<Versions> parse_as(std::string_view text);

}  // namespace tickmark::conformance
