#pragma once
// Plays random programs on the reference loop's Node layer, one after the other on one loop: a program has
// ended when the loop is empty, and leaves nothing behind. The trace stays in memory.

#include <array>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "conformance/programs/run.h"
#include "harness/base/time.h"
#include "reference-loop/fs.h"
#include "reference-loop/node_layer.h"
#include "reference-loop/pool.h"
#include "reference-loop/watcher.h"

namespace tickmark::programs {

/// Time that passes, in a simulation, before a timeout is armed and at the end of a callback: a slow machine.
struct Stalls {
  unsigned permille = 0;             ///< how often
  Nanos most{0};                     ///< 0 .. most
  std::span<const Nanos> choices{};  ///< instead: nothing, or one of these, each time; borrowed
  unsigned stalls_most = 3;          ///< of these, in one program: or there would be no end of them
};

class RefloopProgram {
 public:
  /// On a loop that is empty, and for as long as it exists. Where the loop is simulated `stalls` are drawn
  /// from its choices.
  explicit RefloopProgram(refloop::Loop& loop, const Stalls& stalls = {});
  ~RefloopProgram();
  RefloopProgram(const RefloopProgram&) = delete;
  RefloopProgram& operator=(const RefloopProgram&) = delete;

  /// Valid until the next. A program that does not end is stopped after more callbacks than any can have.
  const Run& play(const Program& program);
  /// Whether times are noted, of the loop's clock.
  void note_times(bool noted) { notes_times_ = noted; }

 private:
  // What a request of the loop's points at.
  struct Ticket {
    RefloopProgram* player = nullptr;
    Label label = 0;
  };

  void call_back(Label label);
  void do_body(Label of);
  bool do_action(Label label);
  void start_job(Label label, const Action& action);
  refloop::Promise await_then(refloop::NodeLayer& node, Label label);
  void start_pool(Label label, Verb verb);
  void start_close(Label label);
  void do_to_target(const Action& action);
  void note(Label label, StepKind kind);
  void stall();
  void block(Nanos duration);
  void clean_up();

  refloop::Loop& loop_;
  const Stalls stalls_;
  std::unique_ptr<refloop::NodeLayer> node_;
  const Program* program_ = nullptr;
  Run run_;
  bool notes_times_ = false;
  bool over_ = false;
  unsigned depth_ = 0;  // callbacks on the stack
  unsigned stalls_made_ = 0;
  int file_ = -1;
  std::array<Ticket, kMaxActions> tickets_;
  std::array<bool, kMaxActions> is_made_{};
  std::array<bool, kMaxActions> has_run_{};
  std::array<bool, kMaxActions> is_kept_{};  // refreshed by somebody: lives on when it has fired
  std::array<uint8_t, kMaxActions> calls_left_{};
  std::array<refloop::TimeoutId, kMaxActions> timeouts_{};
  std::array<refloop::ImmediateId, kMaxActions> immediates_{};
  std::array<std::optional<refloop::Idle>, kMaxActions> handles_{};
  std::array<std::unique_ptr<refloop::FsRequest>, kMaxActions> requests_{};
};

}  // namespace tickmark::programs
