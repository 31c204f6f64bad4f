#include "reference-loop/node_rejections.h"

#include <utility>

#include "reference-loop/node_layer.h"

namespace refloop {

void NodeRejections::add(const Promise& promise) {
  promise.state().report = PromiseState::Report::waiting;
  unhandled_.push_back(promise);
}

// One of the round that is being reported is reported all the same.
void NodeRejections::remove(const Promise& promise) {
  const auto report = std::exchange(promise.state().report, PromiseState::Report::none);
  if (report == PromiseState::Report::waiting) std::erase(unhandled_, promise);
  if (report == PromiseState::Report::done) handled_late_.push_back(promise);
}

bool NodeRejections::report() {
  if (!report_handled()) return false;
  const std::vector<Promise> round = std::exchange(unhandled_, {});
  for (const Promise& promise : round) {
    if (!report_unhandled(promise)) return false;
  }
  return true;
}

bool NodeRejections::report_handled() {
  for (const Promise& promise : std::exchange(handled_late_, {})) {
    auto& handler = layer_.events.rejection_handled;
    if (handler && layer_.emit(handler, promise)) {
      layer_.route_error();
      return false;
    }
    if (layer_.has_exited()) return false;
  }
  return true;
}

bool NodeRejections::report_unhandled(const Promise& promise) {
  promise.state().report = PromiseState::Report::done;
  const Value& reason = promise.value();
  auto& handler = layer_.events.unhandled_rejection;
  if (!handler) {
    layer_.throw_error(reason);
    layer_.route_error(ErrorOrigin::rejection);
    return !layer_.has_exited();
  }
  if (layer_.emit(handler, reason, promise)) {
    layer_.route_error();
    return false;
  }
  return !layer_.has_exited();
}

}  // namespace refloop
