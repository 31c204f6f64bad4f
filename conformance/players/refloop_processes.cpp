// The verbs of signals and child processes of the reference loop's player.
#include <array>
#include <cassert>
#include <csignal>
#include <fcntl.h>
#include <unistd.h>

#include "conformance/players/children.h"
#include "conformance/players/refloop_machine.h"

namespace tickmark::conformance {

void RefloopMachine::start_signal(Item& item) {
  auto& signal = item.object.emplace<refloop::Signal>(*loop_);
  signal.data = &item;
  const auto caught = [](refloop::Signal& handle, int) {
    item_of(handle).machine->fire(*item_of(handle).step);
  };
  const auto started =
      item.step->once ? signal.start_once(kScenarioSignal, caught) : signal.start(kScenarioSignal, caught);
  assert(started);
}

// To this thread: it has been caught when the call returns.
void RefloopMachine::raise_signal(const Step& step) {
  (void)find(step.target);
  for (long i = 0; i < step.count; ++i) ::raise(kScenarioSignal);
}

void RefloopMachine::start_child(Item& item) {
  const Step& step = *item.step;
  auto& process = item.object.emplace<refloop::Process>(*loop_);
  process.data = &item;
  std::array<int, 2> input{-1, -1};
  if (step.waits) {
    const int made = pipe2(input.data(), O_CLOEXEC);
    assert(made == 0);
    item.child_input = input[1];
  }
  refloop::SpawnOptions options{.arguments = child_command(step)};
  options.stdio.push_back(step.waits ? refloop::Stdio::inherit(input[0]) : refloop::Stdio::ignore());
  if (step.output) {
    Item& output = *items_.emplace_back(std::make_unique<Item>());
    output.machine = this;
    output.step = &step;
    names_[step.label + ".output"] = &output;
    auto& pipe = output.object.emplace<refloop::Pipe>(*loop_);
    pipe.data = &output;
    options.stdio.push_back(refloop::Stdio::piped(pipe));
  }
  const auto spawned = process.spawn(options, [](refloop::Process& child, refloop::ExitStatus status) {
    item_of(child).machine->fire(*item_of(child).step, exit_status_name(status.code, status.signal));
  });
  assert(spawned);
  if (input[0] >= 0) ::close(input[0]);
}

}  // namespace tickmark::conformance
