// Causality: no request is seen before it was answered, none is answered before it was sent, and the parts of
// a latency add up. How long the parts are is a matter of the machine: scripts/prove truth.
#include "harness/load/truth.h"

#include <gtest/gtest.h>

namespace tickmark::load::truth_test {
namespace {

TEST(Truth, no_latency_is_shorter_than_what_the_server_took) {
  const TruthfulEcho server(50us);
  for (const Spin spin : {Spin::kNever, Spin::kBeforeDeadlines, Spin::kAlways}) {
    const auto records = load_truthful(server, 2000, 300ms, -1, spin);
    ASSERT_TRUE(records) << records.error().message;
    ASSERT_GT(records->size(), 400u);
    for (const RequestRecord& record : *records) {
      const TrueTimes truth = server.times_of(record.number);
      ASSERT_LE(record.intended, record.sent) << record.number;
      ASSERT_LE(record.sent, truth.received) << record.number;
      ASSERT_LE(truth.received, truth.begun) << record.number;
      ASSERT_LE(truth.begun + server.service_of(record.number), truth.ended) << record.number;
      ASSERT_LE(truth.ended, record.seen) << record.number << ": seen before it was answered";
    }
  }
}

}  // namespace
}  // namespace tickmark::load::truth_test
