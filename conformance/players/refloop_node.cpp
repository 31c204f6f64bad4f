// The Node layer's verbs of the reference loop's player.
#include <cassert>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conformance/players/refloop_machine.h"
#include "conformance/players/refloop_status.h"
#include "reference-loop/simulation.h"

namespace tickmark::conformance {

namespace {

using refloop::Promise;
using refloop::Value;

// What an async function does that returns `promise`.
Promise return_from_async(refloop::NodeLayer& /*node*/, Promise promise) { co_return promise; }

bool is_process_event(std::string_view event) {
  return event == "uncaughtException" || event == "unhandledRejection" || event == "rejectionHandled" ||
         event == "beforeExit" || event == "exit";
}

}  // namespace

std::optional<std::string> RefloopMachine::lacks(const Step& step) {
  switch (step.verb) {
    case Verb::listen:
      if (step.on.empty() && is_process_event(step.event)) return std::nullopt;
      return "the reference loop's objects have callbacks of their own, not events";
    case Verb::executor_post:
    case Verb::executor_dispatch:
    case Verb::steady_timer:
    case Verb::cancel_wait:
    case Verb::socket_close:
      return "an operation of Asio";
    case Verb::lookup:
      return "the reference loop resolves names on its loop layer";
    case Verb::fs_promise:
      return "the reference loop's file operations give no promises";
    case Verb::pipeline:
    case Verb::writable:
    case Verb::readable:
      return "the reference loop has no streams without a descriptor";
    case Verb::channel:
    case Verb::worker:
    case Verb::broadcast:
    case Verb::post:
      return "the reference loop's ports are of its loop layer";
    case Verb::child:
    case Verb::fork:
    case Verb::ipc_send:
    case Verb::datagram:
    case Verb::datagram_send:
      return "the reference loop's processes and datagrams are of its loop layer";
    case Verb::http_get:
      return "the reference loop's HTTP is that of its servers: it has no client";
    case Verb::destroy:
      return "the reference loop closes its handles with a callback: the verb close";
    case Verb::track_async:
      return "the reference loop has no hooks for asynchronous resources";
    default:
      return std::nullopt;
  }
}

std::string_view RefloopMachine::perform_node(const Step& step) {
  switch (step.verb) {
    case Verb::listen:
      listen(step);
      return "";
    case Verb::react:
      react(step);
      return "";
    case Verb::await:
      await_settled(*node_, promise_of(step.on), step);
      return "";
    case Verb::deferred:
    case Verb::pass_through:
    case Verb::async_returning:
      make_promise(make(&step));
      return "ok";
    case Verb::resolve_promise:
      promise_of(step.target).resolve(step.to.empty() ? Value{} : Value(promise_of(step.to)));
      return "ok";
    case Verb::reject_promise:
      promise_of(step.target).reject(Value{});
      return "ok";
    case Verb::wait_written:
      wait_written(find(step.target));
      return "ok";
    case Verb::throw_error:
      node_->throw_error(Value{});
      return "ok";
    case Verb::exit:
      end_all();
      node_->exit(0);
      return "ok";
    default:
      refuse(name_of(step.verb));
  }
}

void RefloopMachine::start_node(Item& item) {
  const Step& step = *item.step;
  auto task = [this, &step] { fire(step); };
  switch (step.verb) {
    case Verb::tick:
      node_->next_tick(task);
      return;
    case Verb::immediate:
      return start_immediate(item, task);
    case Verb::timeout:
      return start_timeout(item, task);
    case Verb::interval:
      item.object = node_->set_interval(task, static_cast<double>(step.ms));
      return;
    case Verb::promise:
      Promise::resolved(*node_).then(task);
      return;
    case Verb::fs_write:
      return start_scratch_write(item);
    default:
      node_->queue_microtask(task);
      return;
  }
}

// A promised one resolves a promise, whose reaction is the callback.
void RefloopMachine::start_timeout(Item& item, refloop::Task task) {
  const auto delay = static_cast<double>(item.step->ms);
  if (!item.step->promised) {
    item.object = node_->set_timeout(std::move(task), delay);
    return;
  }
  Promise promise(*node_);
  promise.then(std::move(task));
  node_->set_timeout([promise]() mutable { promise.resolve(); }, delay);
}

void RefloopMachine::start_immediate(Item& item, refloop::Task task) {
  if (!item.step->promised) {
    item.object = node_->set_immediate(std::move(task));
    return;
  }
  Promise promise(*node_);
  promise.then(std::move(task));
  node_->set_immediate([promise]() mutable { promise.resolve(); });
}

void RefloopMachine::listen(const Step& step) {
  const auto heard = [this, &step](const auto&...) { fire(step); };
  refloop::NodeEvents& events = node_->events;
  if (step.event == "uncaughtException")
    events.uncaught_exception = heard;
  else if (step.event == "unhandledRejection")
    events.unhandled_rejection = heard;
  else if (step.event == "rejectionHandled")
    events.rejection_handled = heard;
  else if (step.event == "beforeExit")
    events.before_exit = heard;
  else
    events.exit = heard;
}

Promise& RefloopMachine::promise_of(const std::string& name) { return std::get<Promise>(find(name).object); }

void RefloopMachine::make_promise(Item& item) {
  const Step& step = *item.step;
  if (step.verb == Verb::deferred)
    item.object = Promise(*node_);
  else if (step.verb == Verb::pass_through)
    item.object = promise_of(step.on).then(nullptr);
  else
    item.object = return_from_async(*node_, promise_of(step.on));
}

void RefloopMachine::react(const Step& step) {
  promise_of(step.on).then([this, &step] { fire(step); }, [this, &step] { fire(step, "error"); });
}

Promise RefloopMachine::await_settled(refloop::NodeLayer& /*node*/, Promise promise, const Step& step) {
  const refloop::Outcome outcome = co_await promise;
  fire(step, outcome.fulfilled ? "" : "error");
  co_return {};
}

void RefloopMachine::start_scratch_write(Item& item) {
  if (scratch_ < 0) scratch_ = ::memfd_create("scratch", MFD_CLOEXEC);
  assert(scratch_ >= 0);
  item.scratch_size = ++scratch_size_;
  loop_->pool().submit(
      [this, &item] {
        [[maybe_unused]] const auto written = ::pwrite(scratch_, "", 1, item.scratch_size - 1);
        assert(written == 1);
      },
      [this, &item](refloop::Error error) { fire(*item.step, status_name(error)); });
}

void RefloopMachine::wait_written(const Item& item) {
  const auto is_written = [this, &item] {
    struct stat file {};
    return ::fstat(scratch_, &file) == 0 && file.st_size >= item.scratch_size;
  };
  if (loop_->simulation()) {
    [[maybe_unused]] const bool written = loop_->simulation()->spend_until(is_written);
    assert(written);
    return;
  }
  while (!is_written()) {
  }
}

}  // namespace tickmark::conformance
