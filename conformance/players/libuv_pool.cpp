// What the libuv player asks of the thread pool: work, files, names.
#include <fcntl.h>
#include <unistd.h>

#include "conformance/players/libuv_machine.h"
#include "conformance/players/libuv_status.h"
#include "conformance/players/names.h"

namespace tickmark::conformance {

void UvMachine::on_work(uv_work_t* request) {
  auto* item = static_cast<Item*>(request->data);
  item->work_started.store(true, std::memory_order_release);
  spin_until(now() + Nanos{item->step->ms * 1'000'000LL});
  item->completed_by = gettid();
  item->completed = now();
  if (item->woken != nullptr) check_ok(uv_async_send(&item->woken->handle.async));
}

void UvMachine::complete(const Item& item) {
  if (item.completed.count() != 0) recorder_.complete(item.step->label, item.completed, item.completed_by);
}

void UvMachine::on_work_done(uv_work_t* request, int status) {
  auto* item = static_cast<Item*>(request->data);
  item->machine->complete(*item);
  item->machine->fire(*item->step, status_name(status));
}

void UvMachine::start_work(Item& item) {
  if (!item.step->to.empty()) item.woken = &find(item.step->to);
  check_ok(uv_queue_work(&loop_, &item.request.work, on_work, on_work_done));
}

void UvMachine::on_file_done(uv_fs_t* request) {
  auto* item = static_cast<Item*>(request->data);
  const auto status = static_cast<int>(request->result);
  if (item->step->verb == Verb::fs_read) ::close(static_cast<int>(request->file));
  uv_fs_req_cleanup(request);
  item->machine->fire(*item->step, status_name(status));
}

void UvMachine::start_file(Item& item) {
  if (item.step->verb == Verb::fs_stat) {
    check_ok(uv_fs_stat(&loop_, &item.request.fs, "/", on_file_done));
    return;
  }
  const int fd = ::open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
  assert(fd >= 0);
  item.buffer.resize(4096);
  const uv_buf_t buffer = uv_buf_init(item.buffer.data(), 4096);
  check_ok(uv_fs_read(&loop_, &item.request.fs, fd, &buffer, 1, 0, on_file_done));
}

void UvMachine::on_resolved(uv_getaddrinfo_t* request, int status, addrinfo* addresses) {
  auto* item = static_cast<Item*>(request->data);
  uv_freeaddrinfo(addresses);
  item->machine->complete(*item);
  item->machine->fire(*item->step, status_name(status));
}

void UvMachine::start_resolve(Item& item) {
  const auto answered = [&item] {
    item.completed_by = gettid();
    item.completed = now();
  };
  const Nanos takes{item.step->ms * 1'000'000LL};
  const std::string name = takes.count() > 0 ? slow_name({takes, answered}) : "127.0.0.1";
  check_ok(uv_getaddrinfo(&loop_, &item.request.getaddrinfo, on_resolved, name.c_str(), nullptr, nullptr));
}

}  // namespace tickmark::conformance
