#include "harness/load/knee.h"

#include <algorithm>
#include <cmath>
#include <fmt/core.h>
#include <optional>
#include <utility>

namespace tickmark::load {
namespace {

constexpr int kVotes = 3;         // loads that decide about an end
constexpr int kRetriesVoid = 1;   // a load that cannot be believed is run again, once
constexpr int kStepsBackMax = 6;  // ends that were not confirmed

class Search {
 public:
  Search(const KneePlan& plan, const RunProbe& run) : plan_(plan), run_(run), next_seed_(plan.seed) {}

  Expected<Knee> find() {
    for (int step = 0; knee_.open_end.empty() && step <= kStepsBackMax; ++step) {
      if (auto done = bracket(); !done) return std::unexpected(done.error());
      if (!both_known()) break;
      if (auto done = narrow(); !done) return std::unexpected(done.error());
      if (!both_known()) break;
      auto confirmed = confirm();
      if (!confirmed) return std::unexpected(confirmed.error());
      if (*confirmed) return std::move(knee_);
    }
    if (knee_.open_end.empty())
      knee_.open_end = "loads at the same rate disagreed too often: take longer ones (--duration)";
    return std::move(knee_);
  }

 private:
  bool both_known() const { return knee_.kept_per_s > 0 && knee_.broken_per_s > 0 && knee_.open_end.empty(); }

  Expected<Outcome> probe(double rate) {
    for (int retry = 0;; ++retry) {
      auto done = run_(rate, next_seed_++);
      if (!done) return std::unexpected(done.error());
      knee_.probes.push_back(*done);
      if (done->outcome != Outcome::void_) return done->outcome;
      if (retry < kRetriesVoid) continue;
      knee_.open_end = fmt::format("a load of {:.0f}/s cannot be believed: {}", rate, done->reason);
      return Outcome::void_;
    }
  }

  /// Up by doubling while it is kept, or down by halves while it is broken.
  Expected<void> bracket() {
    double rate = knee_.kept_per_s > 0     ? knee_.kept_per_s * 2
                  : knee_.broken_per_s > 0 ? knee_.broken_per_s / 2
                                           : plan_.start_per_s;
    while (knee_.kept_per_s == 0 || knee_.broken_per_s == 0) {
      const auto outcome = probe(rate);
      if (!outcome) return std::unexpected(outcome.error());
      if (*outcome == Outcome::void_) return {};
      if (*outcome == Outcome::kept) {
        knee_.kept_per_s = rate;
        if (rate >= plan_.highest_per_s) return end_open("the objective is kept at the highest rate");
        rate = std::min(rate * 2, plan_.highest_per_s);
      } else {
        knee_.broken_per_s = rate;
        if (rate <= plan_.lowest_per_s) return end_open("the objective is broken even at the lowest rate");
        rate = std::max(rate / 2, plan_.lowest_per_s);
      }
    }
    return {};
  }

  Expected<void> end_open(const char* why) {
    knee_.open_end = why;
    return {};
  }

  /// Halves the ratio of the ends until it is small enough.
  Expected<void> narrow() {
    while (knee_.broken_per_s > knee_.kept_per_s * (1 + plan_.precision)) {
      const double rate = std::sqrt(knee_.kept_per_s * knee_.broken_per_s);
      const auto outcome = probe(rate);
      if (!outcome) return std::unexpected(outcome.error());
      if (*outcome == Outcome::void_) return {};
      (*outcome == Outcome::kept ? knee_.kept_per_s : knee_.broken_per_s) = rate;
    }
    return {};
  }

  /// Whether most loads at `rate` end as the first one did; nothing if they cannot be believed.
  Expected<std::optional<bool>> majority(double rate, Outcome first) {
    int agreeing = 1;
    for (int vote = 1; vote < kVotes; ++vote) {
      const auto outcome = probe(rate);
      if (!outcome) return std::unexpected(outcome.error());
      if (*outcome == Outcome::void_) return std::nullopt;
      agreeing += *outcome == first;
    }
    return agreeing * 2 > kVotes;
  }

  /// Both ends again with other arrivals. An end that does not hold becomes the other end, and this one is
  /// searched anew.
  Expected<bool> confirm() {
    const auto kept = majority(knee_.kept_per_s, Outcome::kept);
    if (!kept) return std::unexpected(kept.error());
    if (!*kept) return false;
    if (!**kept) {
      knee_.broken_per_s = std::exchange(knee_.kept_per_s, 0);
      return false;
    }
    const auto broken = majority(knee_.broken_per_s, Outcome::broken);
    if (!broken) return std::unexpected(broken.error());
    if (!*broken) return false;
    if (**broken) return true;
    knee_.kept_per_s = std::exchange(knee_.broken_per_s, 0);
    return false;
  }

  const KneePlan& plan_;
  const RunProbe& run_;
  uint64_t next_seed_;
  Knee knee_;
};

}  // namespace

Expected<Knee> find_knee(const KneePlan& plan, const RunProbe& run) { return Search(plan, run).find(); }

}  // namespace tickmark::load
