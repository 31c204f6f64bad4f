// Promises that were rejected while nobody had asked for their outcome.
//
// Judged when ticks and microtasks have run dry: first 'rejectionHandled' for those reported earlier that
// have found a handler since, then 'unhandledRejection' for the rest, each in the order of events; then the
// queues drain again. Handled before that, a rejection is not reported. If a handler fails, the rejections
// behind it in that round are never reported (Node: the same).
#pragma once

#include <vector>

#include "reference-loop/node_promise.h"

namespace refloop {

class NodeLayer;

class NodeRejections {
 public:
  explicit NodeRejections(NodeLayer& layer) : layer_(layer) {}

  bool has_work() const { return !unhandled_.empty() || !handled_late_.empty(); }
  // False: a handler failed, or the process ends.
  bool report();

  void add(const Promise& promise);
  // It has a handler now.
  void remove(const Promise& promise);

 private:
  bool report_handled();
  bool report_unhandled(const Promise& promise);

  NodeLayer& layer_;
  std::vector<Promise> unhandled_;
  std::vector<Promise> handled_late_;
};

}  // namespace refloop
