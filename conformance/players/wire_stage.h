#pragma once
// Plays one scenario of the wire layer against a server: connections, what they say and what is waited for,
// in one thread around poll(). Nothing of a loop under test is in here.

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "conformance/players/recorder.h"
#include "conformance/players/wire_connection.h"
#include "conformance/players/wire_script.h"

namespace tickmark::conformance::wire {

/// How long a server may leave everything unanswered, counted in naps of the player, so that a player or a
/// machine that stood still does not count.
struct Patience {
  Nanos each = 3s;
  unsigned renewals = 3;  ///< where the server wanted to run for most of it and was not let
  /// How long it has not been let in all, by all its threads; empty: nobody knows.
  std::function<Nanos()> kept_waiting{};
};

class Stage {
 public:
  /// `recorder` and the scenario outlive it.
  Stage(Recorder& recorder, uint16_t port, Dialect dialect, Patience patience)
      : recorder_(recorder), port_(port), dialect_(dialect), patience_(std::move(patience)) {}

  /// Until every callback has run, one of them with another status than ok, or patience is over, when what is
  /// still waited for is `late`. False: it was late, and will be.
  bool play(const Scenario& scenario);

 private:
  using Connections = std::vector<std::unique_ptr<Connection>>;

  /// A callback that is still to run.
  struct Pending {
    const Step* step;
    std::string_view site;
    Connection* connection;  // nothing: of a timer
    Nanos due{0};            // of a timer
    uint64_t heard_then = 0;
    uint64_t bytes_due = 0;  // expect: of everything heard
    bool done = false;
  };

  void execute(const std::vector<Step>& steps, std::string_view site);
  void wait_for(const Step& step, std::string_view site);
  void open(const Step& step, std::string_view site);
  void call(const Step& step);
  Connections& connections(std::string_view name) { return connections_[std::string(name)]; }

  void turn();
  void poll_all();
  void settle();
  bool settle_one(Pending& pending);
  std::string_view outcome(Pending& pending);
  std::string_view expectation(Pending& pending);
  std::string_view answers_outcome(const Pending& pending);
  void fire(Pending& pending, std::string_view status);
  Nanos kept_waiting() const { return patience_.kept_waiting ? patience_.kept_waiting() : Nanos{0}; }
  bool is_worth_waiting();
  void give_up();

  Recorder& recorder_;
  uint16_t port_;
  Dialect dialect_;
  std::map<std::string, Connections, std::less<>> connections_;
  std::deque<Pending> pending_;  // a deque: callbacks add to it
  std::map<const Step*, unsigned> ran_;
  std::map<const Connection*, uint64_t> bytes_expected_;
  Patience patience_;
  unsigned renewals_ = 0;
  Nanos kept_waiting_then_{0};  ///< when the run began, or patience was last over
  Nanos idle_{0};
  bool over_ = false;
  bool late_ = false;
};

}  // namespace tickmark::conformance::wire
