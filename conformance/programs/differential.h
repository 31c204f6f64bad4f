#pragma once
// The same programs on two subjects: where they differ, is it a freedom they use differently, or is one of
// them refused by the rules of the other?

#include "conformance/programs/campaign.h"

namespace tickmark::programs {

/// Two callbacks of the loop asked for by one body, the first in front of the second: how often they came in
/// that order.
struct FreePair {
  std::string names;  ///< "timeout, immediate from main"
  uint64_t runs[2]{};
  uint64_t in_order[2]{};
  double share(unsigned subject) const {
    return runs[subject] == 0 ? 0
                              : static_cast<double>(in_order[subject]) / static_cast<double>(runs[subject]);
  }
};

struct Difference {
  uint64_t programs = 0;
  uint64_t same = 0;       ///< the two runs are one order
  uint64_t explained = 0;  ///< they differ, and each is accepted by the other's rules
  /// They differ, and what one did is refused by the rules of the other: a finding. The first few.
  uint64_t unexplained = 0;
  std::vector<Finding> findings{};
  std::vector<unsigned> findings_of{};  ///< which subject's run each is
  std::vector<FreePair> pairs{};        ///< seen often in both, and in clearly different shares
};

/// Both subjects play the programs of the plan; each run is judged by the other's profile.
Expected<Difference> compare(const Plan& plan, const Subject& first, const Subject& second);

}  // namespace tickmark::programs
