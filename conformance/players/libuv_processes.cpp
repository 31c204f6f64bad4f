// The verbs of signals and child processes of the libuv player.
#include <array>
#include <csignal>
#include <fcntl.h>
#include <unistd.h>

#include "conformance/players/children.h"
#include "conformance/players/libuv_machine.h"
#include "conformance/players/libuv_status.h"

namespace tickmark::conformance {

void UvMachine::start_signal(Item& item) {
  check_ok(uv_signal_init(&loop_, &item.handle.signal));
  item.has_handle = true;
  item.handle.handle.data = &item;
  const auto caught = [](uv_signal_t* handle, int) {
    auto* of = static_cast<Item*>(handle->data);
    of->machine->fire(*of->step);
  };
  check_ok(item.step->once ? uv_signal_start_oneshot(&item.handle.signal, caught, kScenarioSignal)
                           : uv_signal_start(&item.handle.signal, caught, kScenarioSignal));
}

// To this thread: it has been caught when the call returns.
void UvMachine::raise_signal(const Step& step) {
  (void)find(step.target);
  for (long i = 0; i < step.count; ++i) ::raise(kScenarioSignal);
}

void UvMachine::on_exit(uv_process_t* process, int64_t code, int signal) {
  auto* item = static_cast<Item*>(process->data);
  item->machine->fire(*item->step, exit_status_name(code, signal));
}

void UvMachine::start_child(Item& item) {
  const Step& step = *item.step;
  item.has_handle = true;
  item.handle.handle.data = &item;
  std::array<uv_stdio_container_t, 2> stdio{};
  std::array<int, 2> input{-1, -1};
  if (step.waits) {
    check_ok(pipe2(input.data(), O_CLOEXEC));
    stdio[0].flags = UV_INHERIT_FD;
    stdio[0].data.fd = input[0];
    item.child_input = input[1];
  }
  if (step.output) {
    Item& output = *(names_[step.label + ".output"] = &make(&step));
    check_ok(uv_pipe_init(&loop_, &output.handle.pipe, 0));
    output.has_handle = true;
    output.handle.handle.data = &output;
    stdio[1].flags = static_cast<uv_stdio_flags>(UV_CREATE_PIPE | UV_WRITABLE_PIPE);
    stdio[1].data.stream = stream(output);
  }
  const std::vector<std::string> command = child_command(step);
  std::vector<char*> arguments;
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  uv_process_options_t options{};
  options.file = arguments[0];
  options.args = arguments.data();
  options.exit_cb = on_exit;
  options.stdio = stdio.data();
  options.stdio_count = static_cast<int>(stdio.size());
  check_ok(uv_spawn(&loop_, &item.handle.process, &options));
  if (input[0] >= 0) ::close(input[0]);
}

}  // namespace tickmark::conformance
