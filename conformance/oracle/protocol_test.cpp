// The checker of foreign players' traces: a good trace passes, and each way to get it wrong is told.
#include <algorithm>
#include <gtest/gtest.h>
#include <map>
#include <set>
#include <sstream>

#include "conformance/oracle/protocol_check.h"

namespace tickmark::conformance {
namespace {

const ProtocolCase kCase{
    .id = "self_test/x",
    .says = "a case for a test",
    .run = "",
    .steps = R"([{"verb": "timeout", "label": "a", "ms": 3, "then": [{"verb": "tick", "label": "b"}]},
                 {"verb": "clear", "target": "a", "label": "c"}])",
    .counts = {},
    .statuses = {{"c", "ok"}},
    .bytes = {{"b", 0}}};

/// The lines of one run as they should be; line i (from 1) is replaced if `wrong` says so.
std::string trace_of(const std::map<size_t, std::string>& wrong = {}) {
  const std::vector<std::string> lines{
      R"({"event":"trace","schema":"tickmark.trace/1","player":"x","pool":1})",
      R"({"event":"start","scenario":"self_test/x","run":0,"time_ns":1})",
      R"({"event":"begin","label":"main","site":"","cause":"main","time_ns":2})",
      R"({"event":"schedule","label":"a","site":"main","cause":"timeout","ms":3,"time_ns":3,"after_ns":4})",
      R"({"event":"schedule","label":"c","site":"main","cause":"clear","time_ns":5,"after_ns":6,"status":"ok"})",
      R"({"event":"end","label":"main","site":"","cause":"main","time_ns":7})",
      R"({"event":"begin","label":"a","site":"main","cause":"timeout","time_ns":8})",
      R"({"event":"schedule","label":"b","site":"a","cause":"tick","time_ns":9,"after_ns":9})",
      R"({"event":"end","label":"a","site":"main","cause":"timeout","time_ns":10})",
      R"({"event":"begin","label":"b","site":"a","cause":"tick","time_ns":11})",
      R"({"event":"end","label":"b","site":"a","cause":"tick","time_ns":12})",
      R"({"event":"quiescent","time_ns":13})",
      R"({"event":"finish","scenario":"self_test/x","run":0,"status":"ok"})"};
  std::string text;
  for (size_t i = 0; i < lines.size(); ++i) {
    const auto other = wrong.find(i + 1);
    const std::string& line = other == wrong.end() ? lines[i] : other->second;
    if (!line.empty()) text += line + "\n";
  }
  return text;
}

std::vector<std::string> complaints_of(const std::string& text) {
  std::istringstream stream(text);
  return check_protocol(kCase, 1, stream).complaints;
}

/// The trace with line `number` replaced is told about with a sentence that contains `words`.
void expect_told(size_t number, const std::string& line, const std::string& words) {
  const auto complaints = complaints_of(trace_of({{number, line}}));
  EXPECT_TRUE(std::ranges::any_of(complaints, [&](const auto& one) { return one.find(words) != one.npos; }))
      << words << " is not among " << complaints.size() << ": " << (complaints.empty() ? "" : complaints[0]);
}

TEST(Protocol, AGoodTraceIsNotComplainedOf) {
  EXPECT_EQ(complaints_of(trace_of()), std::vector<std::string>{});
  std::istringstream stream(
      "{\"event\":\"trace\",\"schema\":\"tickmark.trace/1\",\"player\":\"x\",\"pool\":1}\n"
      R"({"event":"unsupported","scenario":"self_test/x","verb":"timeout","reason":"no timers"})"
      "\n");
  const ProtocolReport report = check_protocol(kCase, 1, stream);
  EXPECT_TRUE(report.complaints.empty());
  EXPECT_EQ(report.unsupported, "timeout: no timers");
}

TEST(Protocol, RecordsNeedTheirKeys) {
  expect_told(1, R"({"event":"trace","schema":"tickmark.trace/2","player":"x","pool":1})", "the schema");
  expect_told(1, "", "is the first line");
  expect_told(4, "nonsense", "line 4: is no JSON object");
  expect_told(4, R"({"event":"scheduled","label":"a"})", "\"scheduled\" is none");
  expect_told(4, R"({"event":"schedule","label":"a","site":"main","cause":"timeout","ms":3,"time_ns":3})",
              "needs the key \"after_ns\"");
  expect_told(7, R"({"event":"begin","label":"a","site":"main","cause":"timeout","time_ns":"8"})",
              "a whole number");
}

TEST(Protocol, RunsAreWholeAndCounted) {
  expect_told(2, R"({"event":"start","scenario":"self_test/x","run":7,"time_ns":1})", "is called 7");
  expect_told(2, R"({"event":"start","scenario":"other","run":0,"time_ns":1})", "not asked for");
  expect_told(13, "", "\"finish\" is missing");
  expect_told(12, "", "\"quiescent\" is missing");
  EXPECT_EQ(complaints_of("").size(), 1u);
  std::istringstream stream(trace_of());
  EXPECT_NE(check_protocol(kCase, 2, stream).complaints.at(0).find("1 runs, \"repeat\" asked for 2"),
            std::string::npos);
}

TEST(Protocol, CallbacksComeFromTheirSteps) {
  expect_told(4,
              R"({"event":"schedule","label":"a","site":"main","cause":"timeout","time_ns":3,"after_ns":4})",
              "its delay as \"ms\": 3");
  expect_told(4, "", "in main a should come now, not c");
  expect_told(5, "", "main ends without a \"schedule\" of c");
  expect_told(5, R"({"event":"schedule","label":"c","site":"main","cause":"clear","time_ns":5,"after_ns":6})",
              "the status of c is \"\", expected \"ok\"");
  expect_told(6, "", "a begins within main");
  expect_told(7, R"({"event":"begin","label":"a","site":"b","cause":"timeout","time_ns":8})",
              "the site of a");
  expect_told(7, R"({"event":"begin","label":"a","site":"main","cause":"timer","time_ns":8})",
              "the cause of a");
  expect_told(8, "", "no \"schedule\" of it stands before");
  expect_told(9, "", "b begins within a");
  expect_told(10, R"({"event":"begin","label":"b","site":"a","cause":"tick","time_ns":7})",
              "time_ns goes back");
  expect_told(10, R"({"event":"begin","label":"b","site":"a","cause":"tick","time_ns":11,"bytes":5})",
              "b got 5 bytes, 0 were written");
}

TEST(Protocol, TheCasesAreScenariosAndNameWhatTheyExpect) {
  std::set<std::string_view> ids;
  for (const ProtocolCase& one : protocol_cases()) {
    EXPECT_TRUE(ids.insert(one.id).second) << one.id;
    const auto document = protocol_document(one, 3);
    EXPECT_EQ(document["repeat"], one.own_process ? 1 : 3);
    EXPECT_TRUE(document["scenarios"][0]["steps"].is_array()) << one.id;
  }
  EXPECT_GE(ids.size(), 10u);
}

}  // namespace
}  // namespace tickmark::conformance
