#include "conformance/players/refloop_program.h"

#include <cassert>
#include <fcntl.h>
#include <unistd.h>

#include "reference-loop/node_async.h"
#include "reference-loop/simulation.h"

namespace tickmark::programs {
namespace {

// Intervals call back three times at most, and a refresh makes one callback more.
constexpr size_t kStepsMost = kMaxActions * 8;

}  // namespace

RefloopProgram::RefloopProgram(refloop::Loop& loop, const Stalls& stalls)
    : loop_(loop), stalls_(stalls), node_(std::make_unique<refloop::NodeLayer>(loop)) {
  file_ = ::open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
  assert(file_ >= 0);
  for (size_t i = 0; i < kMaxActions; ++i) tickets_[i] = {this, static_cast<Label>(i)};
  run_.steps.reserve(kStepsMost + 1);
  node_->events.uncaught_exception = [this](const refloop::Value& error, refloop::ErrorOrigin) {
    note(std::any_cast<Label>(error), StepKind::uncaught);
  };
  node_->events.unhandled_rejection = [this](const refloop::Value& reason, const refloop::Promise&) {
    note(std::any_cast<Label>(reason), StepKind::unhandled);
  };
}

RefloopProgram::~RefloopProgram() { ::close(file_); }

const Run& RefloopProgram::play(const Program& program) {
  program_ = &program;
  run_.program = program.id;
  run_.steps.clear();
  run_.times_us.clear();
  over_ = false;
  depth_ = stalls_made_ = 0;
  for (size_t i = 0; i < program.size(); ++i) is_made_[i] = has_run_[i] = is_kept_[i] = false;
  for (size_t i = 1; i < program.size(); ++i) {
    const Action& action = program[static_cast<Label>(i)];
    if (action.verb == Verb::refresh) is_kept_[action.target] = true;
  }
  node_->run_main([this] {
    ++depth_;
    do_body(kMain);
    stall();
    --depth_;
  });
  loop_.run();
  clean_up();
  return run_;
}

// Timeouts that did not keep the loop alive; and their lists: one that has lost its last unreferenced timeout
// stays, with the expiry it had, and would go before those of the next program.
void RefloopProgram::clean_up() {
  over_ = true;
  for (size_t i = 1; i < program_->size(); ++i) {
    const Action& action = (*program_)[static_cast<Label>(i)];
    if (!is_made_[i] || !is_timer(action.verb)) continue;
    node_->clear(timeouts_[i]);
    node_->clear(node_->set_timeout([] {}, action.ms));
  }
}

void RefloopProgram::note(Label label, StepKind kind) {
  if (over_) return;
  run_.steps.push_back({label, kind});
  if (notes_times_) run_.times_us.push_back(loop_.read_clock() / 1us);
  if (run_.steps.size() <= kStepsMost) return;
  over_ = true;
  loop_.halt();
}

void RefloopProgram::call_back(Label label) {
  if (over_) return;
  note(label, depth_ > 0 ? StepKind::inside : StepKind::callback);
  ++depth_;
  if ((*program_)[label].verb == Verb::interval && --calls_left_[label] == 0) node_->clear(timeouts_[label]);
  if (!std::exchange(has_run_[label], true)) do_body(label);
  stall();
  --depth_;
}

void RefloopProgram::do_body(Label of) {
  for (Label label = (*program_)[of].first; label != 0; label = (*program_)[label].next) {
    if (do_action(label)) continue;
    node_->throw_error(of);
    return;
  }
}

// False: throw.
bool RefloopProgram::do_action(Label label) {
  const Action& action = (*program_)[label];
  is_made_[label] = true;
  switch (action.verb) {
    case Verb::tick:
      node_->next_tick([this, label] { call_back(label); });
      return true;
    case Verb::microtask:
    case Verb::then:
    case Verb::await:
    case Verb::async_return:
    case Verb::thenable:
      start_job(label, action);
      return true;
    case Verb::timeout:
    case Verb::interval: {
      stall();
      calls_left_[label] = action.count;
      const auto task = [this, label] { call_back(label); };
      timeouts_[label] = action.verb == Verb::timeout ? node_->set_timeout(task, action.ms)
                                                      : node_->set_interval(task, action.ms);
      if (is_kept_[label]) node_->keep(timeouts_[label]);
      return true;
    }
    case Verb::immediate:
      immediates_[label] = node_->set_immediate([this, label] { call_back(label); });
      return true;
    case Verb::fs:
    case Verb::crypto:
      start_pool(label, action.verb);
      return true;
    case Verb::close:
      start_close(label);
      return true;
    case Verb::block:
      block(std::chrono::milliseconds(action.ms));
      return true;
    case Verb::fail:
      return false;
    default:
      do_to_target(action);
      return true;
  }
}

void RefloopProgram::start_job(Label label, const Action& action) {
  const auto task = [this, label] { call_back(label); };
  refloop::NodeLayer& node = *node_;
  switch (action.verb) {
    case Verb::microtask:
      return node.queue_microtask(task);
    case Verb::await:
      await_then(node, label);
      return;
    case Verb::async_return: {
      refloop::Promise promise(node);
      promise.resolve(refloop::Promise::resolved(node));
      promise.then(task);
      return;
    }
    case Verb::thenable: {
      refloop::Promise promise(node);
      node.queue_microtask([promise]() mutable { promise.resolve(); });
      promise.then(task);
      return;
    }
    default: {
      refloop::Promise promise = refloop::Promise::resolved(node);
      for (unsigned i = 1; i < action.count; ++i) promise = promise.then([] {});
      promise.then(task);
    }
  }
}

refloop::Promise RefloopProgram::await_then(refloop::NodeLayer& node, Label label) {
  co_await refloop::Promise::resolved(node);
  call_back(label);
  co_return {};
}

void RefloopProgram::start_pool(Label label, Verb verb) {
  if (verb == Verb::crypto) {
    loop_.pool().submit([] {}, [this, label](refloop::Error) { call_back(label); });
    return;
  }
  if (!requests_[label]) requests_[label] = std::make_unique<refloop::FsRequest>(loop_);
  requests_[label]->data = &tickets_[label];
  requests_[label]->fstat(file_, [](refloop::FsRequest& request, refloop::Error) {
    const Ticket& ticket = *static_cast<Ticket*>(request.data);
    ticket.player->call_back(ticket.label);
  });
}

void RefloopProgram::start_close(Label label) {
  refloop::Idle& handle = handles_[label].emplace(loop_);
  handle.data = &tickets_[label];
  handle.close([](refloop::Handle& closed) {
    const Ticket& ticket = *static_cast<Ticket*>(closed.data);
    ticket.player->call_back(ticket.label);
  });
}

void RefloopProgram::do_to_target(const Action& action) {
  const Label target = action.target;
  if (!is_made_[target]) return;
  if ((*program_)[target].verb == Verb::immediate) return node_->clear(immediates_[target]);
  switch (action.verb) {
    case Verb::clear:
      return node_->clear(timeouts_[target]);
    case Verb::refresh:
      stall();
      return node_->refresh(timeouts_[target]);
    default:
      return node_->unref(timeouts_[target]);
  }
}

void RefloopProgram::stall() {
  refloop::Simulation* simulation = loop_.simulation();
  if (simulation == nullptr) return;
  refloop::Choices& choices = simulation->choices();
  if (stalls_.choices.empty()) {
    if (choices.chance(stalls_.permille)) simulation->spend(choices.between(Nanos{0}, stalls_.most));
    return;
  }
  if (stalls_made_ == stalls_.stalls_most) return;
  const size_t chosen = choices.pick(stalls_.choices.size() + 1);
  if (chosen == 0) return;
  ++stalls_made_;
  simulation->spend(stalls_.choices[chosen - 1]);
}

void RefloopProgram::block(Nanos duration) {
  if (refloop::Simulation* simulation = loop_.simulation()) return simulation->spend(duration);
  const Nanos end = tickmark::now() + duration;
  while (tickmark::now() < end) {
  }
}

}  // namespace tickmark::programs
