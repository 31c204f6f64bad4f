#pragma once
// The command line of a subject, as DESIGN.md's contract writes it: parsed strictly, refused in a sentence.

#include <span>
#include <string_view>
#include <variant>

#include "harness/base/error.h"
#include "harness/subject/play.h"
#include "harness/subject/serve_context.h"
#include "harness/vocabulary/subject.h"

namespace tickmark::subject {

struct DescribeRequest {};
struct HelpRequest {};
using Request = std::variant<HelpRequest, DescribeRequest, ServeRequest, PlayRequest>;

/// `words` without argv[0]. Options get the description's defaults; unknown verbs, flags, options and
/// workloads are usage errors that name what was given and what is known.
Expected<Request> parse_arguments(std::span<const char* const> words, const SubjectDescription& description,
                                  bool can_play);

/// The text of --help.
std::string usage_text(const SubjectDescription& description, bool can_play);

}  // namespace tickmark::subject
