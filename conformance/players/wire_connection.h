#pragma once
// One connection of the wire player to a server, on a socket that never blocks: what is to be said waits
// here, what arrives is checked at once.

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "conformance/players/wire_answers.h"
#include "conformance/players/wire_script.h"
#include "harness/base/time.h"
#include "harness/base/unique_fd.h"

namespace tickmark::conformance::wire {

/// What the server is expected to say: our own bytes, or answers of HTTP.
enum class Dialect { echo, http };

class Connection {
 public:
  /// Begins to connect. `receive_buffer`: bytes; 0 = the system's default.
  Connection(uint16_t port, Dialect dialect, long receive_buffer);

  int fd() const { return fd_.get(); }
  /// For poll(); 0 = nothing is waited for.
  short interest() const;
  /// When the next piece may be said; nothing = it waits for the socket, or for nobody.
  std::optional<Nanos> next_piece() const;
  /// After poll(): connects, says, hears. True if anything happened.
  bool proceed(short ready);

  void say(const Step& step);
  void say_end() { end_wanted_ = true; }
  void pause(bool paused) { paused_ = paused; }
  /// The connection is gone, with a RST or with whatever close() says; nothing more is heard of it.
  void leave(bool by_reset);

  bool is_connected() const { return connected_; }
  bool is_refused() const { return refused_; }
  /// Whether all that was to be said has been taken by the system.
  bool all_said() const { return outbox_.empty(); }
  /// How long it has had something to say and the system took none of it.
  Nanos stuck() const { return stuck_; }
  void add_stuck(Nanos time) { stuck_ += outbox_.empty() ? Nanos{0} : time; }

  bool has_ended() const { return ended_; }
  bool is_reset() const { return reset_; }
  /// A byte arrived that should not have been this one, or not at all.
  bool is_wrong() const { return wrong_; }
  uint64_t heard() const { return heard_; }  ///< bytes
  AnswerReader& answers() { return answers_; }

 private:
  struct Saying {
    std::string text;    // said `times` times; or, if empty,
    uint64_t bytes = 0;  // so many bytes of the stream of messages
    uint64_t times = 1;
    size_t piece = 0;
    bool end = false;
    size_t offset = 0;  // said of the text
  };

  bool connect_finished();
  bool write();
  bool write_once(Saying& saying);
  bool read();
  void hear(std::string_view bytes);
  void end_if_wanted();

  UniqueFd fd_;
  Dialect dialect_;
  std::deque<Saying> outbox_;
  AnswerReader answers_;
  uint64_t said_ = 0;   // bytes
  uint64_t heard_ = 0;  // bytes
  Nanos piece_due_{0};
  Nanos stuck_{0};
  bool connected_ = false;
  bool refused_ = false;
  bool paused_ = false;
  bool end_wanted_ = false;
  bool end_said_ = false;
  bool ended_ = false;
  bool reset_ = false;
  bool wrong_ = false;
};

}  // namespace tickmark::conformance::wire
