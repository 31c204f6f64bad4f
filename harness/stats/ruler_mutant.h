#pragma once
// Three edits that turn the generator into one that lies, each in a build of its own, to show that the tests
// notice (harness/load/ruler_test.cpp). Chosen with -DTICKMARK_RULER_MUTANT=<name>; without it every
// is_ruler_mutant() is the constant false, and the generator that measures carries nothing of this.

namespace tickmark::stats {

enum class RulerMutant {
  none,
  stamps_at_the_send,    // latency counts from the actual send: a wait for a busy server vanishes
  drops_late_arrivals,   // what falls due while its connection is busy is never asked
  averages_percentiles,  // the percentile of several windows is the mean of theirs
};

#ifndef TICKMARK_RULER_MUTANT
#define TICKMARK_RULER_MUTANT none
#endif

constexpr bool is_ruler_mutant(RulerMutant mutant) { return mutant == RulerMutant::TICKMARK_RULER_MUTANT; }

}  // namespace tickmark::stats
