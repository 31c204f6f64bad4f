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
