#pragma once
// The verbs that Asio has, on a fresh io_context per run: executors, timers and sockets by Asio's own names.
// It has no phases and no close callbacks, so what speaks of those is unsupported.

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
  explicit AsioMachine(Recorder& recorder) : Machine(recorder) {}

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

  asio::io_context context_{1};
  asio::strand<asio::io_context::executor_type> strand_ = asio::make_strand(context_);
  std::map<std::string, ItemPointer, std::less<>> names_;
};

}  // namespace tickmark::conformance
