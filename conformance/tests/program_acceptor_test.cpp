// The acceptor on trial, in virtual time: it refuses nothing a loop does, and everything no loop does.
#include <gtest/gtest.h>

#include "conformance/tests/program_swaps.h"

namespace tickmark::programs::program_acceptor_test {
namespace {

// The frozen corpus: programs of seed 1, and what they come to.
constexpr uint64_t kFrozenPrograms = 150;
constexpr size_t kFrozenCallbacks = 7;
constexpr uint64_t kFrozenOrders = 270;
constexpr uint64_t kFrozenIllegal = 912;
// One it lets pass: that a timeout was not due in one pass says when one of 1 ms behind it was armed at the
// latest, and so which of the two lists expires first. The acceptor only knows what must have passed at
// least.
constexpr uint64_t kFrozenAccepted = 1;

TEST(AcceptorOnTrial, accepts_what_the_loop_does) {
  const Sweep seen = sweep(1, 20'000, {}, {});
  EXPECT_EQ(seen.refused, 0u) << seen.first_refusal;
  EXPECT_GT(seen.callbacks, 200'000u);
}

TEST(AcceptorOnTrial, accepts_every_legal_perturbation) {
  const Sweep seen = sweep(2, 20'000, {}, kHeavyPerturbation);
  EXPECT_EQ(seen.refused, 0u) << seen.first_refusal;
}

// Seed and counts are the corpus; a change of the distribution or of the loop's freedom changes them.
TEST(AcceptorOnTrial, refuses_exchanges_of_neighbours_that_no_loop_makes) {
  const Tightness seen = tightness(1, kFrozenPrograms, kFrozenCallbacks);
  EXPECT_EQ(seen.refused_orders, 0u) << seen.first_missed;
  EXPECT_EQ(seen.illegal - seen.refused, kFrozenAccepted) << seen.first_missed;
  EXPECT_EQ(seen.orders, kFrozenOrders);
  EXPECT_EQ(seen.illegal, kFrozenIllegal);
}

TEST(AcceptorOnTrial, the_same_program_has_the_same_run_whatever_was_played_before) {
  VirtualProgram one(5);
  VirtualProgram other(5);
  for (uint64_t i = 0; i < 100; ++i) one.play(generate(1, i));
  for (uint64_t i = 50; i < 60; ++i) {
    const Program program = generate(1, i);
    EXPECT_TRUE(one.play(program).steps == other.play(program).steps) << i;
  }
}

}  // namespace
}  // namespace tickmark::programs::program_acceptor_test
