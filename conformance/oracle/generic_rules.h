#pragma once
// Rules judged from the loop's own trace while a workload is live: no scenario, a predicate over everything
// that happened. The rule files of conformance/rules/generic name these predicates.

#include <string_view>

namespace tickmark::conformance {

bool is_generic_predicate(std::string_view name);

}  // namespace tickmark::conformance
