#pragma once
// Plays one scenario of the wire layer against a server: connections, what they say and what is waited for,
// in one thread around poll(). Nothing of a loop under test is in here.

#include <deque>
#include <map>
#include <memory>
#include <string_view>
#include <vector>

#include "conformance/players/recorder.h"
#include "conformance/players/wire_connection.h"
#include "conformance/players/wire_script.h"

namespace tickmark::conformance::wire {

class Stage {
 public:
  /// `recorder` and the scenario outlive it.
  Stage(Recorder& recorder, uint16_t port, Dialect dialect)
      : recorder_(recorder), port_(port), dialect_(dialect) {}

  /// Until every callback has run, one of them with another status than ok, or nothing has happened for
  /// kPatience, when what is still waited for is `late`. False: it was late, and will be.
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
  void give_up();

  Recorder& recorder_;
  uint16_t port_;
  Dialect dialect_;
  std::map<std::string, Connections, std::less<>> connections_;
  std::deque<Pending> pending_;  // a deque: callbacks add to it
  std::map<const Step*, unsigned> ran_;
  std::map<const Connection*, uint64_t> bytes_expected_;
  Nanos idle_{0};
  bool over_ = false;
  bool late_ = false;
};

}  // namespace tickmark::conformance::wire
