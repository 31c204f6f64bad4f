// What a scenario runs in: a loop on one backend, a ledger, an end.
//
// A scenario starts handles and requests, calls run(), and is over when nothing keeps the loop alive. Its end
// is wind_up(), which closes every handle; a scenario that hears of an error winds up at once, as a program
// would.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "reference-loop/faults/ledger.h"
#include "reference-loop/listener.h"
#include "reference-loop/loop.h"
#include "reference-loop/tcp.h"
#include "reference-loop/timer.h"

namespace refloop::faults {

class World {
 public:
  World(BackendKind backend, FilesOn files, Ledger& ledger);
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  // False if the loop could not be made: the ledger knows, and the scenario returns.
  explicit operator bool() const { return loop_ != nullptr; }
  Loop& loop() { return *loop_; }
  Ledger& ledger() { return ledger_; }

  // How a handle is closed when the world winds up. Closers run in the order they were given.
  void on_wind_up(std::function<void()> closer);
  void wind_up();
  bool is_winding_up() const { return winding_up_; }
  // Winds up unless `error` is none.
  bool fine(Error error);

  // Turns the loop until nothing keeps it alive. A world that stands still, or that turns without end, is a
  // broken promise.
  void run();
  unsigned turns() const { return turns_; }

 private:
  Ledger& ledger_;
  std::unique_ptr<Loop> loop_;
  std::unique_ptr<Timer> patience_;
  std::vector<std::function<void()>> closers_;
  bool winding_up_ = false;
  unsigned turns_ = 0;
};

// A connection that enters in the ledger what it was asked for and what became of it.
class Party : public Tcp {
 public:
  explicit Party(World& world);

  void adopt_socket(Socket socket);
  void connect_to(const Address& address, std::function<void()> connected);
  // `on_data` is called after the bytes were appended to `received`.
  void read(std::function<void()> on_data, std::function<void()> on_end = {});
  void pause() { read_stop(); }
  // In one request of `pieces` buffers; `written` when it succeeded.
  void write_pieces(std::string_view bytes, std::size_t pieces, std::function<void()> written = {});
  void send_copy(std::string_view first, std::string_view second = {});
  void finish(std::function<void()> finished = {});
  void leave();

  std::string received;

 private:
  struct Request;
  static Party& of(Stream& stream) { return static_cast<Party&>(stream); }
  void start_reading();

  World& world_;
  Ledger::Ticket connect_ticket_ = 0;
  Ledger::Ticket shutdown_ticket_ = 0;
  std::function<void()> connected_;
  std::function<void()> on_data_;
  std::function<void()> on_end_;
  std::function<void()> finished_;
};

// Accepts Parties and keeps them.
class Host : public Listener {
 public:
  using Guest = std::function<void(Party&)>;

  explicit Host(World& world);
  // False if it failed, of which the ledger knows.
  bool open(Guest on_guest);
  std::vector<std::unique_ptr<Party>>& guests() { return guests_; }

 private:
  World& world_;
  Guest on_guest_;
  std::vector<std::unique_ptr<Party>> guests_;
};

// `size` bytes of which none is like the one before: a lost, doubled or moved byte shows.
std::string pattern(std::size_t size);

}  // namespace refloop::faults
