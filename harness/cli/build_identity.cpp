// A file of its own: it alone is compiled again after each commit.
#include "harness/cli/build_identity.h"

namespace tickmark::cli {

std::string_view build_commit() { return TICKMARK_GIT; }

}  // namespace tickmark::cli
