// What the reference loop's player asks of the pool: work, files, names.
#include <cassert>
#include <fcntl.h>

#include "conformance/players/names.h"
#include "conformance/players/player.h"
#include "conformance/players/refloop_machine.h"
#include "conformance/players/refloop_status.h"
#include "reference-loop/simulation.h"

namespace tickmark::conformance {

std::string_view RefloopMachine::cancel(Item& item) {
  if (auto* request = std::get_if<refloop::FsRequest>(&item.object)) return call_status(request->cancel());
  if (auto* name = std::get_if<refloop::ResolveRequest>(&item.object)) return call_status(name->cancel());
  refloop::Work* work = std::get<refloop::Work*>(item.object);
  return work == nullptr ? "busy" : call_status(loop_->pool().cancel(*work));
}

void RefloopMachine::complete(const Item& item) {
  if (item.completed.count() != 0) recorder_.complete(item.step->label, item.completed, item.completed_by);
}

void RefloopMachine::start_work(Item& item) {
  if (!item.step->to.empty()) item.woken = &std::get<refloop::Async>(find(item.step->to).object);
  item.object = &loop_->pool().submit(
      [this, &item] {
        item.work_started.store(true, std::memory_order_release);
        spend_until(recorder_.now() + Nanos{item.step->ms * 1'000'000LL});
        item.completed_by = loop_->current_thread();
        item.completed = recorder_.now();
        if (item.woken != nullptr) item.woken->send();
      },
      [this, &item](refloop::Error error) {
        item.object = static_cast<refloop::Work*>(nullptr);  // the loop's, and gone when this returns
        complete(item);
        fire(*item.step, status_name(error));
      });
}

void RefloopMachine::wait_started(const Item& work) {
  const auto has_started = [&work] { return work.work_started.load(std::memory_order_acquire); };
  if (loop_->simulation()) {
    const bool started = loop_->simulation()->spend_until(has_started);
    assert(started);
    return;
  }
  while (!has_started()) {
  }
}

void RefloopMachine::start_file(Item& item) {
  auto& request = item.object.emplace<refloop::FsRequest>(*loop_);
  request.data = &item;
  const auto done = [](refloop::FsRequest& of_request, refloop::Error error) {
    auto& of = *static_cast<Item*>(of_request.data);
    of.machine->fire(*of.step, status_name(error));
  };
  if (item.step->verb == Verb::fs_stat) return request.stat("/", done);
  item.file = ::open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
  assert(item.file >= 0);
  item.buffer.resize(4096);
  request.read(item.file, std::as_writable_bytes(std::span(item.buffer)), 0, done);
}

// In virtual time the answer takes its time on the virtual thread.
void RefloopMachine::start_resolve(Item& item) {
  auto& request = item.object.emplace<refloop::ResolveRequest>(*loop_);
  request.data = &item;
  const auto answered = [this, &item] {
    item.completed_by = loop_->current_thread();
    item.completed = recorder_.now();
  };
  const Nanos takes{item.step->ms * 1'000'000LL};
  SlowName asked{takes, answered};
  if (loop_->simulation()) asked.pass_time = [this](Nanos time) { spend_until(recorder_.now() + time); };
  const std::string name = takes.count() > 0 ? slow_name(std::move(asked)) : "127.0.0.1";
  request.resolve(name, "", [](refloop::ResolveRequest& resolved, refloop::Error error) {
    auto& of = *static_cast<Item*>(resolved.data);
    of.machine->complete(of);
    of.machine->fire(*of.step, status_name(error));
  });
}

}  // namespace tickmark::conformance
