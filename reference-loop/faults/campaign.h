// Every fault of the registry, played in every scenario that makes the call, on each backend.
#pragma once

#include <set>
#include <span>
#include <string>
#include <vector>

#include "reference-loop/faults/registry.h"
#include "reference-loop/faults/scenario.h"
#include "reference-loop/loop.h"

namespace refloop::faults {

// What came of one fault of one call.
struct Row {
  const Call* call;
  const Fault* fault;
  std::vector<unsigned> scenarios;  // in which it struck, per backend
  std::set<std::string> seen;       // requests that ended otherwise than without it
};

struct Campaign {
  std::vector<BackendKind> backends;
  std::vector<Row> rows;              // in the order of the registry
  std::vector<std::string> failures;  // broken promises, as sentences
  unsigned runs = 0;
};

// Each fault strikes the first, the second, the third and the last of the calls a scenario makes, and, if the
// loop is expected to try again, three in a row.
// REFLOOP_FAULTS_ONLY in the environment: only those whose description contains it, each announced.
Campaign run_campaign(std::span<const BackendKind> backends);

// The table of docs/faults.md.
std::string to_markdown(const Campaign& campaign);

std::string_view name_of(BackendKind backend);
// "read (file)"
std::string display_name(const Call& call);

}  // namespace refloop::faults
