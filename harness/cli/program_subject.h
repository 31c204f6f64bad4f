#pragma once
// Subjects that play random programs, in processes of their own.

#include <string>
#include <vector>

#include "conformance/programs/campaign.h"
#include "harness/base/error.h"

namespace tickmark::cli {

struct ProgramSubjects {
  std::vector<programs::Subject> players;
  std::vector<std::string> skipped;  ///< sentences: who cannot play here, and why
};

/// `names` as typed; none: every available subject that plays programs. Errors: an unknown subject or option
/// (kUsage). Each plays in so many processes at once.
Expected<ProgramSubjects> find_program_subjects(const std::vector<std::string>& names, size_t processes);

}  // namespace tickmark::cli
