#pragma once
// The verbs of the loop layer on libuv: one uv_ call each, on a fresh uv_loop_t per run, or on one that
// serves live sockets meanwhile.

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <uv.h>
#include <vector>

#include "conformance/players/machine.h"

namespace tickmark::conformance {

class UvMachine : public Machine {
 public:
  /// On `shared`, if that is given: a loop in which UvLiveSockets are served, none of which keeps it alive.
  explicit UvMachine(Recorder& recorder, uv_loop_t* shared = nullptr);
  /// Closes what the scenario left open and turns the loop until nothing of it is left.
  ~UvMachine() override;

  /// Why libuv has no such verb; nothing when it has.
  static std::optional<std::string> lacks(const Step& step);

 private:
  // A handle or request that a step made. libuv points at it from `data`.
  struct Item {
    UvMachine* machine = nullptr;
    const Step* step = nullptr;
    uv_any_handle handle{};
    uv_any_req request{};
    bool has_handle = false;
    const Step* closer = nullptr;  // the step whose label is the close callback
    const Step* reader = nullptr;
    uint64_t bytes_written = 0;
    uint64_t bytes_read = 0;
    std::string buffer;  // of a write or an fs read
    std::atomic<bool> work_started{false};
    Nanos completed{0};
    int64_t completed_by = 0;
    Item* woken = nullptr;  // the async that work sends to
    int child_input = -1;   // the child waits until it is closed
  };
  // Both ends of a tcp_pair while it is being made.
  struct Pair {
    Item* listener = nullptr;
    Item* client = nullptr;
    Item* server = nullptr;
    unsigned missing = 2;
  };

  std::string_view perform(const Step& step) override;
  std::string_view perform_call(const Step& step);
  bool turn(TurnMode mode) override;
  LoopState loop_state() const override {
    return {.phase = "", .iteration = 0, .now = Nanos{static_cast<int64_t>(uv_now(&loop_)) * 1'000'000}};
  }
  void stop_source(const Step& step) override;

  Item& make(const Step* step);
  Item& find(const std::string& name);
  uv_handle_t* handle(Item& item) { return &item.handle.handle; }
  uv_stream_t* stream(Item& item) { return reinterpret_cast<uv_stream_t*>(&item.handle); }
  void start_handle(Item& item);
  void stop_handle(Item& item);
  void start_work(Item& item);
  void start_file(Item& item);
  void close_item(Item& item, const Step* closer);
  void complete(const Item& item);
  void start_resolve(Item& item);
  void start_pair(Item& item);
  void start_tcp_pair(Pair& pair);
  void start_pipe_pair(Pair& pair);
  void pair_is_up(Item& item);
  void start_connect(Item& item);
  std::string_view start_write(Item& item);
  void start_read(const Step& step);
  std::string_view start_shutdown(Item& item);
  std::string_view try_write(const Step& step);
  void stop_reading(Item& item);
  void start_udp(Item& item);
  std::string_view start_udp_send(Item& item);
  void start_signal(Item& item);
  void raise_signal(const Step& step);
  void start_child(Item& item);

  static void on_work(uv_work_t* request);
  static void on_work_done(uv_work_t* request, int status);
  static void on_file_done(uv_fs_t* request);
  static void on_resolved(uv_getaddrinfo_t* request, int status, addrinfo* addresses);
  static void on_close(uv_handle_t* handle);
  static void on_connection(uv_stream_t* listener, int status);
  static void on_pair_connect(uv_connect_t* request, int status);
  static void on_allocate(uv_handle_t* handle, size_t suggested, uv_buf_t* buffer);
  static void on_read(uv_stream_t* stream, ssize_t size, const uv_buf_t* buffer);
  static void on_datagram(uv_udp_t* handle, ssize_t size, const uv_buf_t* buffer, const sockaddr* from,
                          unsigned flags);
  static void on_exit(uv_process_t* process, int64_t code, int signal);

  bool has_own_handles() const;
  void end_own_handles();

  uv_loop_t own_loop_{};
  uv_loop_t& loop_;
  std::vector<std::unique_ptr<Item>> items_;
  std::map<std::string, Item*, std::less<>> names_;
  std::map<const Step*, Pair> pairs_;
  std::vector<char> read_buffer_ = std::vector<char>(64 * 1024);
};

}  // namespace tickmark::conformance
