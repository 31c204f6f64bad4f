#pragma once
// What all native players share: steps run in order, each with the clock read before and after it; callbacks
// are bracketed and run their own steps. A runtime's player derives from this and calls its own API, once,
// for each verb: nothing is emulated here.

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "conformance/players/recorder.h"
#include "conformance/players/scenario.h"

namespace tickmark::conformance {

/// A callback step that was executed, and how often its callback has run.
struct Instance {
  const Step* step = nullptr;
  std::string_view site;
  unsigned fired = 0;
  Nanos started_after{0};  ///< clock after the call that started it
};

class Machine {
 public:
  explicit Machine(Recorder& recorder) : recorder_(recorder) {}
  virtual ~Machine() = default;
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  /// Plays main and all turns of the scenario, which must outlive the machine.
  void play(const Scenario& scenario);

 protected:
  /// Result of the call a step made: "" for verbs that report none.
  virtual std::string_view perform(const Step& step) = 0;
  /// Turns the loop; true when it is still alive.
  virtual bool turn(TurnMode mode) = 0;
  /// The scenario is about to be played.
  virtual void prepare(const Scenario&) {}
  /// Runs main as the runtime runs a main script.
  virtual void run_main(const std::function<void()>& body) { body(); }
  virtual LoopState loop_state() const { return {}; }
  /// Which thread this is: callbacks belong on the one that played main.
  virtual int64_t current_thread() const;
  /// Computes until that time.
  virtual void spend_until(Nanos time);
  /// Stops the source of a repeating callback: it has run `times` times.
  virtual void stop_source(const Step& step) = 0;

  /// Runs the step's callback: records it and executes its steps.
  void fire(const Step& step, std::string_view status = "", std::optional<long> bytes = std::nullopt);
  /// The callback of the end of the stream that `step` reads.
  void fire_eof(const Step& step, std::string_view status = "");
  void execute(const std::vector<Step>& steps);
  /// Ends the callbacks that are on the stack: their process ends, and what they had left to do is lost.
  void end_all();
  /// Ends the process with exit 2: the scenario refers to what it never scheduled.
  [[noreturn]] void refuse(std::string_view target) const;

  Recorder& recorder_;

 private:
  // A callback on the stack.
  struct Running {
    std::string_view label;
    std::string_view site;
    std::string_view cause;
  };

  void execute(const Step& step);
  void begin(const Running& callback, std::string_view status, std::optional<long> bytes);
  void end();
  void run_callback(const std::string& label, std::string_view cause, std::string_view status,
                    std::optional<long> bytes, const std::vector<Step>* steps);

  std::map<std::string, Instance, std::less<>> instances_;
  std::vector<Running> running_;
  int64_t loop_thread_ = 0;
  bool ended_ = false;  ///< what is called back from here on belongs to the clean-up
};

/// Spins on the monotonic clock.
void spin_until(Nanos time);

}  // namespace tickmark::conformance
