#pragma once
// The verbs on the reference loop and its Node layer: one call of its interface each, on a fresh loop per
// run.

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "conformance/players/machine.h"
#include "reference-loop/async.h"
#include "reference-loop/fs.h"
#include "reference-loop/listener.h"
#include "reference-loop/node_async.h"
#include "reference-loop/node_layer.h"
#include "reference-loop/pipe.h"
#include "reference-loop/pool.h"
#include "reference-loop/process.h"
#include "reference-loop/resolve.h"
#include "reference-loop/signal.h"
#include "reference-loop/tcp.h"
#include "reference-loop/timer.h"
#include "reference-loop/udp.h"
#include "reference-loop/watcher.h"

namespace tickmark::conformance {

class RefloopMachine : public Machine {
 public:
  /// In `options.simulation`, if it has one, with the recorder's clock on it.
  RefloopMachine(Recorder& recorder, const refloop::LoopOptions& options, refloop::MainKind main_kind);
  /// On a loop in which RefloopLiveSockets are served, none of which keeps it alive.
  RefloopMachine(Recorder& recorder, refloop::Loop& shared, refloop::MainKind main_kind);
  /// Closes what the scenario left open and turns the loop until nothing of it is left.
  ~RefloopMachine() override;

  static std::optional<std::string> lacks(const Step& step);

 private:
  // A handle, request or id that a step made. The loop's objects point at it from `data`.
  struct Item {
    RefloopMachine* machine = nullptr;
    const Step* step = nullptr;
    std::variant<std::monostate, refloop::Timer, refloop::Idle, refloop::Prepare, refloop::Check,
                 refloop::Async, refloop::Tcp, refloop::Pipe, refloop::Listener, refloop::PlainWrite,
                 refloop::Udp, refloop::DatagramRequest, refloop::Signal, refloop::Process, refloop::Work*,
                 refloop::FsRequest, refloop::ResolveRequest, refloop::TimeoutId, refloop::ImmediateId,
                 refloop::Promise>
        object;
    const Step* closer = nullptr;  // the step whose label is the close callback
    const Step* reader = nullptr;
    const Step* shutter = nullptr;
    uint64_t bytes_written = 0;
    uint64_t bytes_read = 0;
    std::string buffer;  // of a write or an fs read
    std::atomic<bool> work_started{false};
    Nanos completed{0};
    int64_t completed_by = 0;
    int file = -1;
    int64_t scratch_size = 0;         // of an fs_write: what the scratch file has when it is done
    refloop::Async* woken = nullptr;  // what work sends to
    int child_input = -1;             // the child waits until it is closed
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
  std::string_view perform_node(const Step& step);
  bool turn(TurnMode mode) override;
  void prepare(const Scenario& scenario) override;
  void run_main(const std::function<void()>& body) override;
  LoopState loop_state() const override;
  void stop_source(const Step& step) override;
  void spend_until(Nanos time) override;
  int64_t current_thread() const override { return loop_->current_thread(); }

  Item& make(const Step* step);
  Item& find(const std::string& name);
  static Item& item_of(const refloop::Handle& handle) { return *static_cast<Item*>(handle.data); }
  static refloop::Handle* handle_of(Item& item);
  static refloop::Stream& stream_of(Item& item);

  void start_node(Item& item);
  void start_timeout(Item& item, refloop::Task task);
  void start_immediate(Item& item, refloop::Task task);
  void listen(const Step& step);
  refloop::Promise& promise_of(const std::string& name);
  void make_promise(Item& item);
  void react(const Step& step);
  refloop::Promise await_settled(refloop::NodeLayer& node, refloop::Promise promise, const Step& step);
  void start_scratch_write(Item& item);
  void wait_written(const Item& item);
  void start_handle(Item& item);
  template <typename Kind>
  void start_watcher(Item& item);
  void stop(Item& item);
  void set_referenced(Item& item, bool referenced);
  std::string_view cancel(Item& item);
  void start_work(Item& item);
  void wait_started(const Item& work);
  void start_file(Item& item);
  void start_resolve(Item& item);
  void complete(const Item& item);
  void close_item(Item& item, const Step* closer);
  void start_pair(Item& item);
  template <typename End>
  void start_pair_of(Item& item, const refloop::Address& address);
  void pair_is_up(const Step& step);
  void start_connect(Item& item);
  uint16_t sink() const;
  std::string_view start_write(Item& item);
  std::string_view start_read(const Step& step);
  std::string_view start_shutdown(const Step& step);
  std::string_view try_write(const Step& step);
  void stop_reading(Item& item);
  void start_udp(Item& item);
  std::string_view start_udp_send(Item& item);
  void start_signal(Item& item);
  void raise_signal(const Step& step);
  void start_child(Item& item);

  const refloop::MainKind main_kind_;
  bool own_process_ = false;
  std::function<void()> main_;  // of a scenario that is a whole process
  int scratch_ = -1;            // the file of fs_write
  int64_t scratch_size_ = 0;
  const std::unique_ptr<refloop::Loop> own_loop_;
  refloop::Loop* const loop_;
  std::unique_ptr<refloop::NodeLayer> node_;
  std::vector<std::unique_ptr<Item>> items_;
  std::map<std::string, Item*, std::less<>> names_;
  std::map<const Step*, Pair> pairs_;
};

}  // namespace tickmark::conformance
