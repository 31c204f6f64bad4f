#include "reference-loop/trace.h"

#include <unistd.h>

namespace refloop {

Trace::Trace(std::size_t records) {
  while (chunks_.size() * kChunkRecords < records) grow();
}

void Trace::grow() { chunks_.push_back(std::make_unique<Chunk>()); }

std::int32_t current_thread_id() {
  thread_local const std::int32_t id = gettid();
  return id;
}

std::string_view name_of(Event event) {
  switch (event) {
    case Event::schedule:
      return "schedule";
    case Event::begin:
      return "begin";
    case Event::end:
      return "end";
    case Event::complete:
      return "complete";
    case Event::phase:
      return "phase";
    case Event::iteration:
      return "iteration";
  }
  return "unknown";
}

std::string_view name_of(Phase phase) {
  switch (phase) {
    case Phase::outside:
      return "outside";
    case Phase::timers:
      return "timers";
    case Phase::pending:
      return "pending";
    case Phase::idle:
      return "idle";
    case Phase::prepare:
      return "prepare";
    case Phase::poll:
      return "poll";
    case Phase::check:
      return "check";
    case Phase::closing:
      return "closing";
  }
  return "unknown";
}

std::string_view name_of(Kind kind) {
  switch (kind) {
    case Kind::none:
      return "none";
    case Kind::main:
      return "main";
    case Kind::timer:
      return "timer";
    case Kind::idle:
      return "idle";
    case Kind::prepare:
      return "prepare";
    case Kind::check:
      return "check";
    case Kind::async:
      return "async";
    case Kind::process:
      return "process";
    case Kind::message:
      return "message";
    case Kind::port_end:
      return "port_end";
    case Kind::signal:
      return "signal";
    case Kind::fd_ready:
      return "fd_ready";
    case Kind::accept:
      return "accept";
    case Kind::connect:
      return "connect";
    case Kind::read:
      return "read";
    case Kind::read_end:
      return "read_end";
    case Kind::write_done:
      return "write_done";
    case Kind::drain:
      return "drain";
    case Kind::shutdown:
      return "shutdown";
    case Kind::close:
      return "close";
    case Kind::pool:
      return "pool";
    case Kind::node_timeout:
      return "node_timeout";
    case Kind::node_immediate:
      return "node_immediate";
    case Kind::tick:
      return "tick";
    case Kind::microtask:
      return "microtask";
  }
  return "unknown";
}

}  // namespace refloop
