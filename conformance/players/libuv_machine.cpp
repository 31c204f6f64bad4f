#include "conformance/players/libuv_machine.h"

#include <unistd.h>

#include "conformance/players/libuv_live_sockets.h"
#include "conformance/players/libuv_status.h"
#include "conformance/players/names.h"
#include "conformance/players/player.h"

namespace tickmark::conformance {

UvMachine::UvMachine(Recorder& recorder, uv_loop_t* shared)
    : Machine(recorder), loop_(shared == nullptr ? own_loop_ : *shared) {
  if (shared == nullptr) check_ok(uv_loop_init(&loop_));
}

bool UvMachine::has_own_handles() const {
  bool found = false;
  const auto look = [](uv_handle_t* handle, void* into) {
    if (!UvLiveSockets::owns(handle)) *static_cast<bool*>(into) = true;
  };
  uv_walk(const_cast<uv_loop_t*>(&loop_), look, &found);
  return found;
}

// Requests, too. A flag that uv_stop() has left ends the first uv_run() only.
void UvMachine::end_own_handles() {
  const auto close_one = [](uv_handle_t* open, void*) {
    if (!uv_is_closing(open) && !UvLiveSockets::owns(open)) uv_close(open, nullptr);
  };
  do {
    uv_walk(&loop_, close_one, nullptr);
    uv_run(&loop_, UV_RUN_DEFAULT);
  } while (has_own_handles() || uv_loop_alive(&loop_) != 0);
}

UvMachine::~UvMachine() {
  end_own_handles();
  if (&loop_ == &own_loop_) check_ok(uv_loop_close(&loop_));
  for (const auto& item : items_) {
    if (item->child_input >= 0) ::close(item->child_input);
  }
}

std::optional<std::string> UvMachine::lacks(const Step& step) {
  if (is_of_node_layer(step.verb)) return "libuv has nothing of the Node layer";
  switch (step.verb) {
    case Verb::tick:
    case Verb::microtask:
    case Verb::promise:
      return "libuv has no ticks and no microtasks";
    case Verb::immediate:
      return "libuv has no immediates";
    case Verb::timeout:
    case Verb::interval:
    case Verb::refresh:
      return "libuv has no timers of the Node layer";
    case Verb::executor_post:
    case Verb::executor_dispatch:
    case Verb::steady_timer:
    case Verb::cancel_wait:
    case Verb::socket_close:
      return "an operation of Asio";
    case Verb::resolve:
      if (step.ms > 0 && !names_are_ours()) return "the program's getaddrinfo() is not the player's";
      return std::nullopt;
    default:
      return std::nullopt;
  }
}

UvMachine::Item& UvMachine::make(const Step* step) {
  Item& item = *items_.emplace_back(std::make_unique<Item>());
  item.machine = this;
  item.step = step;
  item.request.req.data = &item;
  return item;
}

UvMachine::Item& UvMachine::find(const std::string& name) {
  const auto found = names_.find(name);
  if (found == names_.end()) refuse(name);
  return *found->second;
}

bool UvMachine::turn(TurnMode mode) {
  return uv_run(&loop_, mode == TurnMode::once     ? UV_RUN_ONCE
                        : mode == TurnMode::nowait ? UV_RUN_NOWAIT
                                                   : UV_RUN_DEFAULT) != 0;
}

std::string_view UvMachine::perform(const Step& step) {
  switch (step.verb) {
    case Verb::timer:
    case Verb::longest_timer:
    case Verb::idle:
    case Verb::prepare:
    case Verb::check:
    case Verb::async: {
      Item& item = *(names_[step.label] = &make(&step));
      start_handle(item);
      return "";
    }
    case Verb::work:
      start_work(*(names_[step.label] = &make(&step)));
      return "";
    case Verb::fs_stat:
    case Verb::fs_read:
      start_file(*(names_[step.label] = &make(&step)));
      return "";
    case Verb::close:
      close_item(step.on.empty() ? make(&step) : find(step.on), &step);
      return "";
    case Verb::tcp_pair:
    case Verb::pipe_pair:
      start_pair(make(&step));
      return "";
    case Verb::connect:
      start_connect(*(names_[step.label] = &make(&step)));
      return "";
    case Verb::write:
      return start_write(make(&step));
    case Verb::read:
      start_read(step);
      return "";
    case Verb::shutdown:
      return start_shutdown(make(&step));
    case Verb::resolve:
      start_resolve(*(names_[step.label] = &make(&step)));
      return "";
    case Verb::udp:
      start_udp(*(names_[step.label] = &make(&step)));
      return "";
    case Verb::udp_send:
      return start_udp_send(make(&step));
    case Verb::signal:
      start_signal(*(names_[step.label] = &make(&step)));
      return "";
    case Verb::spawn:
      start_child(*(names_[step.label] = &make(&step)));
      return "";
    default:
      return perform_call(step);
  }
}

std::string_view UvMachine::perform_call(const Step& step) {
  switch (step.verb) {
    case Verb::clear:
      stop_handle(find(step.target));
      return "ok";
    case Verb::restart:
      start_handle(find(step.target));
      return "ok";
    case Verb::again:
      return call_status(uv_timer_again(&find(step.target).handle.timer));
    case Verb::ref:
      uv_ref(handle(find(step.target)));
      return "ok";
    case Verb::unref:
      uv_unref(handle(find(step.target)));
      return "ok";
    case Verb::cancel:
      return call_status(uv_cancel(&find(step.target).request.req));
    case Verb::send:
      for (long i = 0; i < step.count; ++i) check_ok(uv_async_send(&find(step.target).handle.async));
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
      return call_status(uv_process_kill(&find(step.target).handle.process, SIGTERM));
    case Verb::answer:
      answer_names();
      return "ok";
    case Verb::set_repeat:
      uv_timer_set_repeat(&find(step.target).handle.timer, static_cast<uint64_t>(step.ms));
      return "ok";
    case Verb::update_time:
      uv_update_time(&loop_);
      return "ok";
    case Verb::is_alive:
      return uv_loop_alive(&loop_) != 0 ? "alive" : "done";
    case Verb::wait_started: {
      const Item& work = find(step.target);
      while (!work.work_started.load(std::memory_order_acquire)) {
      }
      return "ok";
    }
    case Verb::stop_loop:
      uv_stop(&loop_);
      return "ok";
    default:
      refuse(name_of(step.verb));
  }
}

// Also `restart`: start again what was initialised before.
void UvMachine::start_handle(Item& item) {
  const Step& step = *item.step;
  const bool fresh = !item.has_handle;
  item.has_handle = true;
  switch (step.verb) {
    case Verb::timer:
    case Verb::longest_timer:
      if (fresh) check_ok(uv_timer_init(&loop_, &item.handle.timer));
      item.handle.handle.data = &item;
      if (fresh && !step.started) return;
      check_ok(uv_timer_start(
          &item.handle.timer,
          [](uv_timer_t* t) {
            auto* of = static_cast<Item*>(t->data);
            of->machine->fire(*of->step);
          },
          step.verb == Verb::longest_timer ? UINT64_MAX : static_cast<uint64_t>(step.ms),
          static_cast<uint64_t>(step.repeat_ms)));
      return;
    case Verb::idle:
      if (fresh) check_ok(uv_idle_init(&loop_, &item.handle.idle));
      item.handle.handle.data = &item;
      check_ok(uv_idle_start(&item.handle.idle, [](uv_idle_t* h) {
        auto* of = static_cast<Item*>(h->data);
        of->machine->fire(*of->step);
      }));
      return;
    case Verb::prepare:
      if (fresh) check_ok(uv_prepare_init(&loop_, &item.handle.prepare));
      item.handle.handle.data = &item;
      check_ok(uv_prepare_start(&item.handle.prepare, [](uv_prepare_t* h) {
        auto* of = static_cast<Item*>(h->data);
        of->machine->fire(*of->step);
      }));
      return;
    case Verb::check:
      if (fresh) check_ok(uv_check_init(&loop_, &item.handle.check));
      item.handle.handle.data = &item;
      check_ok(uv_check_start(&item.handle.check, [](uv_check_t* h) {
        auto* of = static_cast<Item*>(h->data);
        of->machine->fire(*of->step);
      }));
      return;
    default:
      check_ok(uv_async_init(&loop_, &item.handle.async, [](uv_async_t* h) {
        auto* of = static_cast<Item*>(h->data);
        of->machine->fire(*of->step);
      }));
      item.handle.handle.data = &item;
  }
}

void UvMachine::stop_source(const Step& step) { stop_handle(find(step.label)); }

void UvMachine::stop_handle(Item& item) {
  switch (item.step->verb) {
    case Verb::timer:
    case Verb::longest_timer:
      uv_timer_stop(&item.handle.timer);
      return;
    case Verb::idle:
      uv_idle_stop(&item.handle.idle);
      return;
    case Verb::prepare:
      uv_prepare_stop(&item.handle.prepare);
      return;
    case Verb::check:
      uv_check_stop(&item.handle.check);
      return;
    case Verb::signal:
      uv_signal_stop(&item.handle.signal);
      return;
    default:
      refuse(item.step->label);
  }
}

void UvMachine::on_close(uv_handle_t* handle) {
  auto* item = static_cast<Item*>(handle->data);
  if (item->closer != nullptr) item->machine->fire(*item->closer);
}

void UvMachine::close_item(Item& item, const Step* closer) {
  if (!item.has_handle) {  // a fresh, idle handle
    item.has_handle = true;
    check_ok(uv_idle_init(&loop_, &item.handle.idle));
  }
  item.handle.handle.data = &item;
  item.closer = closer;
  uv_close(handle(item), on_close);
}

}  // namespace tickmark::conformance
