#pragma once
// What runs between two callbacks of the loop: all ticks, then all microtasks and jobs of promises, again
// until both are empty; then what was rejected and nobody handled, and again. It is an order without freedom:
// there is at most one step that may come next.

#include <array>

#include "conformance/programs/profile.h"
#include "conformance/programs/rules.h"
#include "conformance/programs/run.h"

namespace tickmark::programs {

class Queues {
 public:
  void reset() {
    ticks_.clear();
    jobs_.clear();
    rejections_.clear();
    in_jobs_ = false;
  }

  void ask_tick(Label label) { ticks_.push({label, 0}); }
  /// `further_jobs`: those that run before the one that is the callback.
  void ask_job(Label label, int further_jobs) { jobs_.push({label, static_cast<uint8_t>(further_jobs)}); }
  /// The job `label` threw and was part of a promise.
  void reject(Label label) { rejections_.push({label, 0}); }

  bool empty() const { return ticks_.empty() && jobs_.empty() && rejections_.empty(); }
  /// What has to come next; not to be asked when empty. Takes it out.
  Step take_next();
  /// What comes next belongs to a new drain, which begins with ticks.
  void begin_drain() { in_jobs_ = false; }
  /// The rule that makes `expected` come before `seen`.
  static RuleId rule_against(const Program& program, Step expected, Step seen);

 private:
  struct Entry {
    Label label;
    uint8_t further_jobs;
  };
  // Each label stands in one queue at most once: it never overflows.
  class Fifo {
   public:
    bool empty() const { return size_ == 0; }
    void clear() { size_ = 0; }
    void push(Entry entry) { ring_[(first_ + size_++) % kMaxActions] = entry; }
    Entry pop() {
      const Entry entry = ring_[first_];
      first_ = static_cast<uint8_t>((first_ + 1) % kMaxActions);
      --size_;
      return entry;
    }

   private:
    std::array<Entry, kMaxActions> ring_;
    uint8_t first_ = 0;
    uint8_t size_ = 0;
  };

  Fifo ticks_;
  Fifo jobs_;
  Fifo rejections_;
  bool in_jobs_ = false;  // ticks asked for meanwhile wait until the jobs are done
};

}  // namespace tickmark::programs
