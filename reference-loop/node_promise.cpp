#include "reference-loop/node_promise.h"

#include <string>

#include "reference-loop/node_layer.h"

namespace refloop {

Promise::Promise(NodeLayer& layer) : Promise(layer.promises_.make()) {}

Promise Promise::resolved(NodeLayer& layer, Value value) {
  Promise promise(layer);
  promise.resolve(std::move(value));
  return promise;
}

Promise Promise::rejected(NodeLayer& layer, Value reason) {
  Promise promise(layer);
  promise.reject(std::move(reason));
  return promise;
}

Promise::Promise(const Promise& other) : state_(other.state_) {
  if (state_) ++state_->references;
}

Promise::~Promise() {
  if (state_ && --state_->references == 0) state_->jobs->release(*state_);
}

PromiseJobs& Promise::jobs() const { return *state_->jobs; }
PromiseStatus Promise::status() const { return state_->status; }
const Value& Promise::value() const { return state_->value; }

void Promise::resolve(Value value) {
  if (std::exchange(state_->decided, true)) return;
  jobs().resolve(*this, std::move(value));
}

void Promise::reject(Value reason) {
  if (std::exchange(state_->decided, true)) return;
  jobs().settle(*this, PromiseStatus::rejected, std::move(reason));
}

Promise Promise::react(Handler on_fulfilled, Handler on_rejected, Label label) const {
  Reaction& reaction = jobs().make_reaction(Reaction::Type::call, Kind::microtask, label);
  reaction.on_fulfilled = std::move(on_fulfilled);
  reaction.on_rejected = std::move(on_rejected);
  Promise derived = reaction.derived = jobs().make();
  jobs().add_reaction(*this, reaction);
  return derived;
}

Promise Promise::react_finally(Handler callback, Label label) const {
  Reaction& reaction = jobs().make_reaction(Reaction::Type::call_finally, Kind::microtask, label);
  reaction.on_fulfilled = std::move(callback);
  Promise derived = reaction.derived = jobs().make();
  jobs().add_reaction(*this, reaction);
  return derived;
}

void Promise::resume_when_settled(std::coroutine_handle<> waiting) const {
  Reaction& reaction = jobs().make_reaction(Reaction::Type::resume, Kind::microtask, 0);
  reaction.waiting = waiting;
  jobs().add_reaction(*this, reaction);
}

// A coroutine that waits for what will never come goes with the promise.
Reaction::~Reaction() {
  if (waiting) waiting.destroy();
}

PromiseJobs::~PromiseJobs() { forgetting_ = true; }

Promise PromiseJobs::make() {
  PromiseState& state = states_.allocate();
  state.references = 1;
  state.status = PromiseStatus::pending;
  state.report = PromiseState::Report::none;
  state.decided = state.handled = false;
  state.jobs = this;
  Promise promise;
  promise.state_ = &state;
  return promise;
}

void PromiseJobs::resolve(const Promise& promise, Value value) {
  const auto* followed = std::any_cast<Promise>(&value);
  if (!followed) return settle(promise, PromiseStatus::fulfilled, std::move(value));
  if (*followed == promise)
    return settle(promise, PromiseStatus::rejected, std::string("a promise cannot be resolved with itself"));
  layer_.queue_job([promise, source = *followed] {
    PromiseJobs& jobs = promise.jobs();
    Reaction& reaction = jobs.make_reaction(Reaction::Type::adopt, Kind::none, 0);
    reaction.derived = promise;
    jobs.add_reaction(source, reaction);
  });
}

void PromiseJobs::settle(const Promise& promise, PromiseStatus status, Value value) {
  PromiseState& state = promise.state();
  state.decided = true;
  state.status = status;
  state.value = std::move(value);
  if (status == PromiseStatus::rejected && !state.handled) layer_.rejections_.add(promise);
  Reaction* reaction = std::exchange(state.first, nullptr);
  state.last = nullptr;
  while (reaction) {
    Reaction& ready = *std::exchange(reaction, reaction->next);
    ready.source = promise;
    queue(ready);
  }
}

Reaction& PromiseJobs::make_reaction(Reaction::Type type, Kind kind, Label label) {
  Reaction& reaction = reactions_.allocate();
  reaction.type = type;
  reaction.kind = kind;
  reaction.tag = {0, label};
  reaction.next = nullptr;
  if (kind != Kind::none) layer_.loop().trace_schedule(kind, reaction.tag);
  return reaction;
}

void PromiseJobs::add_reaction(const Promise& source, Reaction& reaction) {
  PromiseState& state = source.state();
  if (state.status == PromiseStatus::rejected && !state.handled) layer_.rejections_.remove(source);
  state.handled = true;
  if (state.status != PromiseStatus::pending) {
    reaction.source = source;
    return queue(reaction);
  }
  (state.last ? state.last->next : state.first) = &reaction;
  state.last = &reaction;
}

void PromiseJobs::queue(Reaction& reaction) {
  layer_.queue_job([this, &reaction] { run(reaction); });
}

void PromiseJobs::run(Reaction& reaction) {
  switch (reaction.type) {
    case Reaction::Type::call:
      run_handler(reaction);
      break;
    case Reaction::Type::call_finally:
      run_finally(reaction);
      break;
    case Reaction::Type::adopt:
      settle(reaction.derived, reaction.source.status(), reaction.source.value());
      break;
    case Reaction::Type::resume:
      layer_.call(reaction.kind, reaction.tag, std::exchange(reaction.waiting, nullptr));
      break;
  }
  free(reaction);
}

void PromiseJobs::run_handler(Reaction& reaction) {
  const Promise& source = reaction.source;
  const bool fulfilled = source.status() == PromiseStatus::fulfilled;
  Promise::Handler& handler = fulfilled ? reaction.on_fulfilled : reaction.on_rejected;
  if (!handler) return settle(reaction.derived, source.status(), source.value());
  Value result;
  if (layer_.call(reaction.kind, reaction.tag, [&] { result = handler(source.value()); }))
    reaction.derived.reject(layer_.take_error());
  else
    reaction.derived.resolve(std::move(result));
}

// The derived promise follows one that waits for what the callback returned and then restores the outcome.
void PromiseJobs::run_finally(Reaction& reaction) {
  Value result;
  if (layer_.call(reaction.kind, reaction.tag, [&] { result = reaction.on_fulfilled({}); }))
    return reaction.derived.reject(layer_.take_error());
  const auto* returned = std::any_cast<Promise>(&result);
  const Promise waited_for = returned ? *returned : Promise::resolved(layer_);
  Reaction& restore = make_reaction(Reaction::Type::call, Kind::none, 0);
  restore.on_fulfilled = [this, outcome = reaction.source](const Value&) {
    if (outcome.status() == PromiseStatus::rejected) layer_.throw_error(outcome.value());
    return outcome.value();
  };
  const Promise restored = restore.derived = make();
  add_reaction(waited_for, restore);
  reaction.derived.resolve(restored);
}

void PromiseJobs::free(Reaction& reaction) {
  reaction.source = {};
  reaction.derived = {};
  reaction.on_fulfilled = nullptr;
  reaction.on_rejected = nullptr;
  if (reaction.waiting) std::exchange(reaction.waiting, nullptr).destroy();
  reactions_.free(reaction);
}

// In a loop, not by recursion: a chain of promises may be long.
void PromiseJobs::release(PromiseState& state) {
  if (forgetting_) return;
  state.next_released = std::exchange(released_, &state);
  if (std::exchange(releasing_, true)) return;
  while (released_) {
    PromiseState& gone = *std::exchange(released_, released_->next_released);
    gone.value.reset();
    Reaction* reaction = std::exchange(gone.first, nullptr);
    gone.last = nullptr;
    while (reaction) free(*std::exchange(reaction, reaction->next));
    states_.free(gone);
  }
  releasing_ = false;
}

}  // namespace refloop
