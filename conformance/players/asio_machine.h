#pragma once
// The verbs that Asio has, on a fresh io_context per run or, under load, on the one that serves: executors,
// timers and sockets by Asio's own names. It has no phases and no close callbacks, so what speaks of those is
// unsupported.

#include <asio.hpp>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "conformance/players/machine.h"

namespace tickmark::conformance {

class AsioMachine : public Machine {
 public:
  /// Plays in `shared`, whose other work goes on meanwhile, or in a context of its own.
  explicit AsioMachine(Recorder& recorder, asio::io_context* shared = nullptr);
  /// Nothing of the run is left in a shared context.
  ~AsioMachine() override;

  /// Why Asio has no such verb; nothing when it has.
  static std::optional<std::string> lacks(const Step& step);

 private:
  using Socket = asio::ip::tcp::socket;
  // A timer or socket that a step made. Its operations keep it alive.
  struct Item {
    const Step* step = nullptr;
    std::optional<asio::steady_timer> timer;
    std::optional<Socket> socket;
    const Step* reader = nullptr;
    uint64_t bytes_written = 0;
    uint64_t bytes_read = 0;
    std::string buffer;  // of reads
  };
  using ItemPointer = std::shared_ptr<Item>;
  // Both ends of a tcp_pair while it is being made.
  struct Pair {
    ItemPointer client;
    ItemPointer server;
    asio::ip::tcp::acceptor acceptor;
    unsigned missing = 2;
  };

  std::string_view perform(const Step& step) override;
  bool turn(TurnMode mode) override;
  void stop_source(const Step&) override {}

  ItemPointer make(const Step& step, const std::string& name);
  ItemPointer find(const std::string& name);
  void start_timer(const Step& step);
  void start_connect(const Step& step);
  void start_pair(const Step& step);
  void start_write(const Step& step);
  void start_read(const ItemPointer& item);

  /// Turns a shared context until nothing of the run is left in it, or it is stopped.
  void run_own_work();
  /// `handler`, counted as work of the run from now until it has run: Asio counts that of a whole context.
  template <typename Handler>
  auto own(Handler handler);

  std::unique_ptr<asio::io_context> alone_;  ///< null: the context is shared
  asio::io_context& context_;
  asio::strand<asio::io_context::executor_type> strand_ = asio::make_strand(context_);
  std::map<std::string, ItemPointer, std::less<>> names_;
  std::vector<std::weak_ptr<Item>> items_;  ///< all that were made: a name may be given twice
  size_t own_work_ = 0;
};

}  // namespace tickmark::conformance
