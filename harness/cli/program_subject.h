#pragma once
// Subjects that play random programs, each in a process of its own.

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
/// (kUsage).
Expected<ProgramSubjects> find_program_subjects(const std::vector<std::string>& names);

}  // namespace tickmark::cli
