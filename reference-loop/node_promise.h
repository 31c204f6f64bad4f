// Promises whose reactions take as many jobs as those of ECMAScript.
//
//   Promise p(node);                      // pending
//   p.then([](const Value& v) { ... });   // runs in a microtask of its own, never at once
//   p.resolve(42);
//
// Jobs ("hops") from settling to the callback, each a microtask in the queue of queue_microtask():
//
//   then, catch_error, finally            1
//   co_await (node_async.h)               1
//   through a pass-through reaction       1 more each (then without a handler for this outcome)
//   resolved with a promise               2 more (NewPromiseResolveThenableJob, then its reaction), as is
//                                         returning one from a reaction or from an async function
//   behind finally                        3 more than behind then
//
// Handlers return a Value (a Promise in it is followed), or nothing; they take the outcome's value, or
// nothing. One that fails by NodeLayer::throw_error() rejects the derived promise. Only the first resolve()
// or reject() counts. A promise resolved with itself is rejected.
//
// A Promise is a counted reference to a state that belongs to the layer: cheap to copy, to be gone before
// the layer. On the loop's thread only. States and reactions are reused: no allocation beyond what handlers
// and values need.
#pragma once

#include <any>
#include <concepts>
#include <coroutine>
#include <cstdint>
#include <functional>
#include <type_traits>
#include <utility>

#include "reference-loop/slab.h"
#include "reference-loop/trace.h"

namespace refloop {

class NodeLayer;
class PromiseJobs;
struct PromiseState;
struct Reaction;

// What a promise settles with and what an error carries.
using Value = std::any;

enum class PromiseStatus : std::uint8_t { pending, fulfilled, rejected };

class Promise {
 public:
  using Handler = std::move_only_function<Value(const Value&)>;

  Promise() = default;  // refers to none
  explicit Promise(NodeLayer& layer);
  static Promise resolved(NodeLayer& layer, Value value = {});
  static Promise rejected(NodeLayer& layer, Value reason);
  Promise(const Promise& other);
  Promise(Promise&& other) noexcept : state_(std::exchange(other.state_, nullptr)) {}
  Promise& operator=(Promise other) noexcept {
    std::swap(state_, other.state_);
    return *this;
  }
  ~Promise();
  bool operator==(const Promise&) const = default;
  explicit operator bool() const { return state_ != nullptr; }

  void resolve(Value value = {});
  void reject(Value reason);
  PromiseStatus status() const;
  // Of the outcome; empty while pending.
  const Value& value() const;

  template <typename F>
  Promise then(F&& on_fulfilled, Label label = 0) const {
    return react(as_handler(std::forward<F>(on_fulfilled)), {}, label);
  }
  template <typename F, typename G>
  Promise then(F&& on_fulfilled, G&& on_rejected, Label label = 0) const
      requires(!std::convertible_to<G, Label>) {
    return react(as_handler(std::forward<F>(on_fulfilled)), as_handler(std::forward<G>(on_rejected)), label);
  }
  template <typename F>
  Promise catch_error(F&& on_rejected, Label label = 0) const {
    return react({}, as_handler(std::forward<F>(on_rejected)), label);
  }
  // Passes the outcome on, after what `callback` returns, unless that fails or is rejected.
  template <typename F>
  Promise finally(F&& callback, Label label = 0) const {
    return react_finally(as_handler(std::forward<F>(callback)), label);
  }
  // How co_await does it: no derived promise, the coroutine resumes in one job.
  void resume_when_settled(std::coroutine_handle<> waiting) const;

  // For the layer.
  PromiseState& state() const { return *state_; }

 private:
  friend class PromiseJobs;

  template <typename F>
  static Handler as_handler(F&& handler);
  Promise react(Handler on_fulfilled, Handler on_rejected, Label label) const;
  Promise react_finally(Handler callback, Label label) const;
  PromiseJobs& jobs() const;

  PromiseState* state_ = nullptr;
};

struct PromiseState {
  enum class Report : std::uint8_t { none, waiting, done };

  SlabId slab_id;
  std::uint32_t references = 0;
  PromiseStatus status = PromiseStatus::pending;
  Report report = Report::none;
  bool decided = false;  // resolve() or reject() was called
  bool handled = false;  // somebody has asked for the outcome
  PromiseJobs* jobs = nullptr;
  Value value;
  Reaction* first = nullptr;  // of those that wait for the outcome
  Reaction* last = nullptr;
  PromiseState* next_released = nullptr;
};

// What is to happen when a promise settles.
struct Reaction {
  enum class Type : std::uint8_t { call, call_finally, adopt, resume };

  ~Reaction();

  SlabId slab_id;
  Type type = Type::call;
  TraceTag tag;
  Kind kind = Kind::none;
  Promise source;
  Promise derived;
  Promise::Handler on_fulfilled;
  Promise::Handler on_rejected;
  std::coroutine_handle<> waiting;
  Reaction* next = nullptr;
};

// The promises of a layer: their memory, and the jobs that run their reactions.
class PromiseJobs {
 public:
  explicit PromiseJobs(NodeLayer& layer) : layer_(layer) {}
  ~PromiseJobs();

  Promise make();
  void resolve(const Promise& promise, Value value);
  void settle(const Promise& promise, PromiseStatus status, Value value);
  Reaction& make_reaction(Reaction::Type type, Kind kind, Label label);
  void add_reaction(const Promise& source, Reaction& reaction);
  void release(PromiseState& state);
  // From here nothing is given back one by one: the layer goes.
  void forget() { forgetting_ = true; }

 private:
  void queue(Reaction& reaction);
  void run(Reaction& reaction);
  void run_handler(Reaction& reaction);
  void run_finally(Reaction& reaction);
  void free(Reaction& reaction);

  NodeLayer& layer_;
  Slab<PromiseState> states_;
  Slab<Reaction> reactions_;
  PromiseState* released_ = nullptr;
  bool releasing_ = false;
  bool forgetting_ = false;
};

template <typename F>
Promise::Handler Promise::as_handler(F&& handler) {
  using Function = std::remove_cvref_t<F>;
  if constexpr (std::is_null_pointer_v<Function>) {
    return {};
  } else {
    return [call = std::forward<F>(handler)](const Value& value) mutable -> Value {
      const auto invoke = [&]() -> decltype(auto) {
        if constexpr (std::is_invocable_v<Function&, const Value&>)
          return call(value);
        else
          return call();
      };
      if constexpr (std::is_void_v<decltype(invoke())>) {
        invoke();
        return {};
      } else {
        return Value(invoke());
      }
    };
  }
}

}  // namespace refloop
