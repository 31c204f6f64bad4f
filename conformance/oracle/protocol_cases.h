#pragma once
// The fixed scenarios a foreign player is tried on (docs/subject-protocol.md): together they use every verb
// and every record. What they expect is the protocol, never an order that a runtime could reasonably choose.

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace tickmark::conformance {

struct ProtocolCase {
  std::string_view id;
  std::string_view says;                          ///< what it tries, as a sentence
  std::string_view run;                           ///< the loop's turns, as JSON; "" = one default
  std::string_view steps;                         ///< as JSON
  std::map<std::string, std::string> counts{};    ///< how often each label's callback runs; "1" if not named
  std::map<std::string, std::string> statuses{};  ///< of callbacks or of labelled calls
  std::map<std::string, long> bytes{};
  bool own_process = false;
};

const std::vector<ProtocolCase>& protocol_cases();

/// A scenario file of one case, played `repeat` times.
nlohmann::json protocol_document(const ProtocolCase& one, unsigned repeat);

}  // namespace tickmark::conformance
