#include "reference-loop/faults/scenario.h"

#include <filesystem>
#include <iterator>

namespace refloop::faults {
namespace {

std::size_t open_descriptors() {
  const std::filesystem::directory_iterator entries("/proc/self/fd");
  return static_cast<std::size_t>(std::distance(begin(entries), end(entries)));
}

}  // namespace

std::span<const Scenario> scenarios() {
  static constexpr Scenario kAll[] = {
      {"echo", echo},
      {"backpressure", backpressure},
      {"flood", flood},
      {"many_connects", many_connects},
      {"refused_connect", refused_connect},
      {"timers", timers},
      {"wake_ups", wake_ups},
      {"signals", signals, true},
      {"foreign_descriptor", foreign_descriptor, true},
      {"pool_work", pool_work},
      {"files", files},
      {"datagrams", datagrams},
      {"descriptors", descriptors},
      {"plain_pipe", plain_pipe},
      {"unheard_pipe", unheard_pipe},
      {"child", child},
      {"file_names", file_names},
      {"files_on_ring", files, false, FilesOn::ring},
      {"names_on_ring", file_names, false, FilesOn::ring},
      {"machine_names", machine_names},
  };
  return kAll;
}

Performance perform(const Scenario& scenario, BackendKind backend, const std::optional<Strike>& strike) {
  Injector& injector = Injector::instance();
  const std::size_t descriptors = open_descriptors();
  injector.arm(strike.value_or(Strike{}));
  Performance performance;
  Ledger ledger;
  {
    World world(backend, scenario.files, ledger);
    if (world) scenario.play(world);
    performance.turns = world.turns();
  }
  injector.disarm();
  ledger.finish();
  performance.system_calls = injector.total_calls();
  performance.hits = injector.hits();
  performance.outcome = ledger.outcome();
  performance.violations = ledger.violations();
  if (const std::size_t after = open_descriptors(); after != descriptors)
    performance.violations.push_back(std::to_string(after) + " descriptors are open, were " +
                                     std::to_string(descriptors));
  return performance;
}

}  // namespace refloop::faults
