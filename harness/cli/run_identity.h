#pragma once
// What a bundle records of the tool that made it, and where it goes if nobody says.

#include <string>

#include "harness/output/json_access.h"

namespace tickmark::cli {

/// plan.json's `tool`.
output::Json tool_document();

/// tickmark-results/<UTC>-<what>
std::string default_output(const std::string& what);

}  // namespace tickmark::cli
