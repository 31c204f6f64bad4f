// Fuzz entry for the bundle reader: any bytes as a document and as a line file. It must neither crash nor
// accept a record without a schema it knows.

#include <cassert>
#include <cstddef>
#include <cstdint>

#include "harness/output/bundle_reader.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace tickmark::output;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (auto plan = parse_document(text, kPlanSchema, "plan.json")) assert(plan->contains("schema"));
  std::vector<std::string> notes;
  if (auto trials = parse_lines(text, kTrialSchema, "trials.ndjson", notes)) {
    for (const Json& trial : *trials) assert(trial.is_object() && trial.contains("schema"));
  }
  return 0;
}

// How often the tests mutate, and what from.
extern const unsigned kFuzzRounds;
const unsigned kFuzzRounds = 20000;
extern const char* const kFuzzSeeds[];
const char* const kFuzzSeeds[] = {
    R"({"schema":"tickmark.plan/1","seed":7,"cells":[]})",
    R"({"schema":"tickmark.trial/1","block":0,"cell":"sockets/closed/64","lanes":[{"achieved_per_s":1.5}]}
)",
    nullptr};
