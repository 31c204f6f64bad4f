#pragma once
// Whether a trace is one: what docs/traces.md asks of it, line by line, and what the scenario it belongs to
// says must be in it. The judge assumes all of that of every player; a player's author is told here, in
// sentences.

#include <istream>
#include <string>
#include <vector>

#include "conformance/oracle/protocol_cases.h"

namespace tickmark::conformance {

struct ProtocolReport {
  std::vector<std::string> complaints;  ///< each a sentence, the line's number in front where there is one
  std::string unsupported;              ///< "verb: reason" if the player cannot play this case; else ""
  unsigned runs = 0;                    ///< complete ones
};

/// Checks the trace of `protocol_document(one, repeat)`. Of complaints that differ only in their line the
/// first is kept.
ProtocolReport check_protocol(const ProtocolCase& one, unsigned repeat, std::istream& trace);

}  // namespace tickmark::conformance
