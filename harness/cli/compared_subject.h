#pragma once
// A subject that somebody named for a comparison.

#include <string>
#include <vector>

#include "harness/base/error.h"
#include "harness/process/registry.h"

namespace tickmark::cli {

struct ComparedSubject {
  process::ResolvedSubject subject;
  std::vector<std::string> workloads;  ///< as SubjectDescription's
};

/// Both, or the sentence why one of them cannot be run here or why they are one and the same.
Expected<std::pair<ComparedSubject, ComparedSubject>> compared_subjects(process::Registry& registry,
                                                                        const std::string& baseline,
                                                                        const std::string& candidate);

}  // namespace tickmark::cli
