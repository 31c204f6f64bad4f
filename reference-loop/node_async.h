// Async functions: coroutines that return a Promise, with the jobs of ECMAScript's.
//
//   Promise fetch_twice(NodeLayer& node, Promise first) {
//     const Outcome outcome = co_await first;             // 1 job
//     if (!outcome.fulfilled) node.throw_error(outcome.value);  // then return: this rejects
//     co_return outcome.value;                            // a Promise in it costs 2 jobs more
//   }
//
// The first parameter is the layer (after the object, for a member function or a lambda; a lambda must
// outlive the call if it captures). Runs at once up to the first co_await. Awaiting a rejected promise
// returns it as an outcome instead of throwing: no C++ exception is involved. Every path ends in co_return
// (`co_return {};` for undefined). One that waits for what never settles is destroyed with the layer.
#pragma once

#include <exception>

#include "reference-loop/node_layer.h"

namespace refloop {

struct Outcome {
  bool fulfilled = true;
  Value value;
};

class AsyncFunction {
 public:
  template <typename... Arguments>
  explicit AsyncFunction(NodeLayer& layer, Arguments&...) : layer_(layer), promise_(layer) {}
  template <typename Object, typename... Arguments>
  AsyncFunction(Object&, NodeLayer& layer, Arguments&...) : layer_(layer), promise_(layer) {}

  Promise get_return_object() { return promise_; }
  std::suspend_never initial_suspend() { return {}; }
  std::suspend_never final_suspend() noexcept { return {}; }
  void unhandled_exception() { std::terminate(); }
  void return_value(Value value) {
    if (layer_.failed_)
      promise_.reject(layer_.take_error());
    else
      promise_.resolve(std::move(value));
  }

 private:
  NodeLayer& layer_;
  Promise promise_;
};

class PromiseAwaiter {
 public:
  explicit PromiseAwaiter(Promise promise) : promise_(std::move(promise)) {}
  bool await_ready() const { return false; }
  void await_suspend(std::coroutine_handle<> waiting) { promise_.resume_when_settled(waiting); }
  Outcome await_resume() const { return {promise_.status() == PromiseStatus::fulfilled, promise_.value()}; }

 private:
  Promise promise_;
};

inline PromiseAwaiter operator co_await(Promise promise) { return PromiseAwaiter(std::move(promise)); }

}  // namespace refloop

template <typename... Arguments>
struct std::coroutine_traits<refloop::Promise, Arguments...> {
  using promise_type = refloop::AsyncFunction;
};
