#pragma once
// A random program: a tree of actions. `main` and every callback have a body, the actions they do, in order.
//
//   main
//     timeout1 4 ms
//       tick3
//     block 6 ms
//     clear timeout1
//
// An action that has a callback is named by its verb and its label, which is its index; so labels are unique.
// What a body names (clear, refresh, unref) may not exist yet or not any more: then the action does nothing.
// A callback that runs several times (an interval, a refreshed timeout) does its body the first time only.

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/error.h"

namespace tickmark::programs {

enum class Verb : uint8_t {
  main,
  // With a callback.
  tick,
  microtask,     // queueMicrotask
  then,          // Promise.resolve().then(pass)...then(callback): `count` reactions
  await,         // after `await` of a settled promise, in an async function
  async_return,  // then() of an async function that returned a promise
  thenable,      // then() of a promise resolved with a thenable that calls back at once
  timeout,
  interval,  // `count` callbacks; cleared at the start of the last
  immediate,
  fs,      // an operation on a descriptor, through the pool
  crypto,  // random bytes, through the pool
  close,   // of a fresh, idle handle: its close callback
  // Without.
  clear,    // of `target`: a timeout, interval or immediate
  refresh,  // of a timeout or interval
  unref,    // of a timeout or interval
  block,    // computes for `ms`
  fail,     // throws; the last of its body
};

inline constexpr size_t kVerbs = 18;
std::string_view name_of(Verb verb);
/// Nothing if there is no such verb.
const Verb* find_verb(std::string_view name);

constexpr bool has_callback(Verb verb) { return verb >= Verb::tick && verb <= Verb::close; }
constexpr bool is_timer(Verb verb) { return verb == Verb::timeout || verb == Verb::interval; }
constexpr bool is_job(Verb verb) { return verb >= Verb::microtask && verb <= Verb::thenable; }
constexpr bool is_pool(Verb verb) { return verb == Verb::fs || verb == Verb::crypto; }

using Label = uint8_t;
inline constexpr size_t kMaxActions = 64;  ///< so that a set of labels is a word
inline constexpr Label kMain = 0;          ///< and "no action" in links: nothing links to main

struct Action {
  Verb verb = Verb::main;
  Label first = 0;   ///< of its body; 0 = none
  Label next = 0;    ///< behind it in the body it stands in; 0 = none
  Label target = 0;  ///< of clear, refresh, unref
  uint8_t count = 1;
  uint16_t ms = 0;

  bool operator==(const Action&) const = default;
};

class Program {
 public:
  uint64_t id = 0;  ///< unique within a file

  /// Appends an action to the body of `parent` and returns its label. At most kMaxActions in all.
  Label add(Label parent, Action action);

  size_t size() const { return size_; }
  const Action& operator[](Label label) const { return actions_[label]; }
  Action& operator[](Label label) { return actions_[label]; }
  /// Calls `visit(label)` for each action of a body, in order.
  template <typename Visit>
  void each_in_body(Label of, Visit&& visit) const {
    for (Label label = actions_[of].first; label != 0; label = actions_[label].next) visit(label);
  }
  /// "timeout3"; "main".
  std::string name(Label label) const;
  /// How many callbacks it asks for at most, intervals counted once.
  size_t callbacks() const;
  bool has(Verb verb) const;

  bool operator==(const Program& other) const;

 private:
  uint8_t size_ = 1;
  std::array<Action, kMaxActions> actions_{};
  std::array<Label, kMaxActions> last_{};  // of each body
};

/// Indented, one action a line, for a reader.
std::string to_text(const Program& program);

}  // namespace tickmark::programs
