#include "conformance/players/refloop_machine.h"

#include <cassert>
#include <unistd.h>

#include "conformance/players/names.h"
#include "conformance/players/player.h"
#include "conformance/players/refloop_status.h"
#include "reference-loop/simulation.h"

namespace tickmark::conformance {

namespace {

Nanos millis(long ms) { return Nanos{ms * 1'000'000LL}; }

std::unique_ptr<refloop::Loop> make_loop(const refloop::LoopOptions& options) {
  auto loop = refloop::Loop::create(options);
  assert(loop);
  return std::move(*loop);
}

}  // namespace

RefloopMachine::RefloopMachine(Recorder& recorder, const refloop::LoopOptions& options,
                               refloop::MainKind main_kind)
    : Machine(recorder),
      main_kind_(main_kind),
      own_loop_(make_loop(options)),
      loop_(own_loop_.get()),
      node_(std::make_unique<refloop::NodeLayer>(*loop_)) {}

RefloopMachine::RefloopMachine(Recorder& recorder, refloop::Loop& shared, refloop::MainKind main_kind)
    : Machine(recorder),
      main_kind_(main_kind),
      loop_(&shared),
      node_(std::make_unique<refloop::NodeLayer>(*loop_)) {
  loop_->update_time();  // as a fresh one has it
}

RefloopMachine::~RefloopMachine() {
  for (const auto& item : items_) {
    if (std::holds_alternative<refloop::Promise>(item->object)) item->object = std::monostate{};
  }
  node_.reset();
  for (const auto& item : items_) {
    refloop::Handle* handle = handle_of(*item);
    if (handle != nullptr && !handle->is_closing()) handle->close();
  }
  while (loop_->run()) {
  }
  for (const auto& item : items_) {
    for (const int fd : {item->file, item->child_input}) {
      if (fd >= 0) ::close(fd);
    }
  }
  if (scratch_ >= 0) ::close(scratch_);
  items_.clear();
}

RefloopMachine::Item& RefloopMachine::make(const Step* step) {
  Item& item = *items_.emplace_back(std::make_unique<Item>());
  item.machine = this;
  item.step = step;
  if (!step->label.empty()) names_[step->label] = &item;
  return item;
}

RefloopMachine::Item& RefloopMachine::find(const std::string& name) {
  const auto found = names_.find(name);
  if (found == names_.end()) refuse(name);
  return *found->second;
}

refloop::Handle* RefloopMachine::handle_of(Item& item) {
  return std::visit(
      [](auto& object) -> refloop::Handle* {
        if constexpr (std::is_base_of_v<refloop::Handle, std::remove_cvref_t<decltype(object)>>)
          return &object;
        return nullptr;
      },
      item.object);
}

// A scenario with a process of its own is one from its main to its exit; others run main and turn the loop.
bool RefloopMachine::turn(TurnMode mode) {
  if (own_process_) {
    node_->run([this] { main_(); }, 0, main_kind_);
    return false;
  }
  return loop_->run(mode == TurnMode::once     ? refloop::RunMode::once
                    : mode == TurnMode::nowait ? refloop::RunMode::nowait
                                               : refloop::RunMode::until_idle);
}

void RefloopMachine::prepare(const Scenario& scenario) { own_process_ = scenario.own_process; }

void RefloopMachine::run_main(const std::function<void()>& body) {
  if (own_process_)
    main_ = body;
  else
    node_->run_main([&body] { body(); });
}

LoopState RefloopMachine::loop_state() const {
  return {refloop::name_of(loop_->phase()), loop_->iteration(), loop_->now()};
}

void RefloopMachine::spend_until(Nanos time) {
  if (loop_->simulation())
    loop_->simulation()->spend(time - loop_->simulation()->now());
  else
    spin_until(time);
}

std::string_view RefloopMachine::perform(const Step& step) {
  switch (step.verb) {
    case Verb::tick:
    case Verb::microtask:
    case Verb::promise:
    case Verb::immediate:
    case Verb::timeout:
    case Verb::interval:
    case Verb::fs_write:
      start_node(make(&step));
      return "";
    case Verb::timer:
    case Verb::longest_timer:
    case Verb::idle:
    case Verb::prepare:
    case Verb::check:
    case Verb::async:
      start_handle(make(&step));
      return "";
    case Verb::work:
      start_work(make(&step));
      return "";
    case Verb::fs_stat:
    case Verb::fs_read:
      start_file(make(&step));
      return "";
    case Verb::close:
      close_item(step.on.empty() ? make(&step) : find(step.on), &step);
      return "";
    case Verb::tcp_pair:
    case Verb::pipe_pair:
      start_pair(make(&step));
      return "";
    case Verb::connect:
      start_connect(make(&step));
      return "";
    case Verb::write:
      return start_write(make(&step));
    case Verb::read:
      return start_read(step);
    case Verb::shutdown:
      return start_shutdown(step);
    case Verb::resolve:
      start_resolve(make(&step));
      return "";
    case Verb::udp:
      start_udp(make(&step));
      return "";
    case Verb::udp_send:
      return start_udp_send(make(&step));
    case Verb::signal:
      start_signal(make(&step));
      return "";
    case Verb::spawn:
      start_child(make(&step));
      return "";
    default:
      return is_of_node_layer(step.verb) ? perform_node(step) : perform_call(step);
  }
}

std::string_view RefloopMachine::perform_call(const Step& step) {
  switch (step.verb) {
    case Verb::clear:
      stop(find(step.target));
      return "ok";
    case Verb::refresh:
      node_->refresh(std::get<refloop::TimeoutId>(find(step.target).object));
      return "ok";
    case Verb::restart:
      start_handle(find(step.target));
      return "ok";
    case Verb::again:
      return call_status(std::get<refloop::Timer>(find(step.target).object).again());
    case Verb::ref:
      set_referenced(find(step.target), true);
      return "ok";
    case Verb::unref:
      set_referenced(find(step.target), false);
      return "ok";
    case Verb::cancel:
      return cancel(find(step.target));
    case Verb::send:
      for (long i = 0; i < step.count; ++i) std::get<refloop::Async>(find(step.target).object).send();
      return "ok";
    case Verb::read_stop:
      stop_reading(find(step.target));
      return "ok";
    case Verb::try_write:
      return try_write(step);
    case Verb::raise:
      raise_signal(step);
      return "ok";
    case Verb::kill:
      return call_status(std::get<refloop::Process>(find(step.target).object).kill(SIGTERM));
    case Verb::answer:
      answer_names();
      return "ok";
    case Verb::set_repeat:
      std::get<refloop::Timer>(find(step.target).object).set_repeat(millis(step.ms));
      return "ok";
    case Verb::update_time:
      loop_->update_time();
      return "ok";
    case Verb::is_alive:
      return loop_->alive() ? "alive" : "done";
    case Verb::wait_started:
      wait_started(find(step.target));
      return "ok";
    case Verb::stop_loop:
      loop_->stop();
      return "ok";
    default:
      refuse(name_of(step.verb));
  }
}

template <typename Kind>
void RefloopMachine::start_watcher(Item& item) {
  if (std::holds_alternative<std::monostate>(item.object)) item.object.emplace<Kind>(*loop_).data = &item;
  const auto started = std::get<Kind>(item.object).start([](refloop::Watcher& watcher) {
    Item& of = item_of(watcher);
    of.machine->fire(*of.step);
  });
  assert(started);
}

// Also `restart`: start again what was made before.
void RefloopMachine::start_handle(Item& item) {
  const Step& step = *item.step;
  switch (step.verb) {
    case Verb::idle:
      start_watcher<refloop::Idle>(item);
      return;
    case Verb::prepare:
      start_watcher<refloop::Prepare>(item);
      return;
    case Verb::check:
      start_watcher<refloop::Check>(item);
      return;
    case Verb::async: {
      auto& async = item.object.emplace<refloop::Async>(*loop_, [](refloop::Async& woken) {
        Item& of = item_of(woken);
        of.machine->fire(*of.step);
      });
      async.data = &item;
      return;
    }
    default:
      break;
  }
  const bool fresh = std::holds_alternative<std::monostate>(item.object);
  if (fresh) item.object.emplace<refloop::Timer>(*loop_).data = &item;
  if (fresh && !step.started) return;
  const auto started =
      std::get<refloop::Timer>(item.object)
          .start(
              [](refloop::Timer& timer) {
                Item& of = item_of(timer);
                of.machine->fire(*of.step);
              },
              step.verb == Verb::longest_timer ? Nanos::max() : millis(step.ms), millis(step.repeat_ms));
  assert(started);
}

void RefloopMachine::stop_source(const Step& step) { stop(find(step.label)); }

void RefloopMachine::stop(Item& item) {
  if (auto* timer = std::get_if<refloop::Timer>(&item.object)) return timer->stop();
  if (auto* timeout = std::get_if<refloop::TimeoutId>(&item.object)) return node_->clear(*timeout);
  if (auto* immediate = std::get_if<refloop::ImmediateId>(&item.object)) return node_->clear(*immediate);
  if (auto* idle = std::get_if<refloop::Idle>(&item.object)) return idle->stop();
  if (auto* prepare = std::get_if<refloop::Prepare>(&item.object)) return prepare->stop();
  if (auto* check = std::get_if<refloop::Check>(&item.object)) return check->stop();
  if (auto* signal = std::get_if<refloop::Signal>(&item.object)) return signal->stop();
  refuse(item.step->label);
}

void RefloopMachine::set_referenced(Item& item, bool referenced) {
  if (auto* timeout = std::get_if<refloop::TimeoutId>(&item.object)) {
    return referenced ? node_->ref(*timeout) : node_->unref(*timeout);
  }
  if (auto* immediate = std::get_if<refloop::ImmediateId>(&item.object)) {
    return referenced ? node_->ref(*immediate) : node_->unref(*immediate);
  }
  refloop::Handle* handle = handle_of(item);
  if (handle == nullptr) refuse(item.step->label);
  return referenced ? handle->ref() : handle->unref();
}

void RefloopMachine::close_item(Item& item, const Step* closer) {
  if (std::holds_alternative<std::monostate>(item.object)) {  // a fresh, idle handle
    item.object.emplace<refloop::Idle>(*loop_).data = &item;
  }
  item.closer = closer;
  refloop::Handle* handle = handle_of(item);
  if (handle == nullptr) refuse(item.step->label);
  handle->close([](refloop::Handle& closed) {
    Item& of = item_of(closed);
    of.machine->fire(*of.closer);
  });
}

}  // namespace tickmark::conformance
