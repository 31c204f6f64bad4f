#include "reference-loop/faults/scenario.h"

#include "reference-loop/test_descriptors.h"

namespace refloop::faults {

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
      {"child_as_somebody", child_as_somebody},
      {"file_names", file_names},
      {"files_on_ring", files, false, FilesOn::ring},
      {"names_on_ring", file_names, false, FilesOn::ring},
      {"machine_names", machine_names},
      {"secure_echo", secure_echo},
      {.name = "http", .play = http, .tells = Tells::that_it_failed},
      {.name = "fetch", .play = fetch, .tells = Tells::that_it_failed},
      {.name = "cluster_hand_off", .play = cluster_hand_off, .tells = Tells::that_it_failed},
      {.name = "cluster_reuse_port", .play = cluster_reuse_port, .tells = Tells::that_it_failed},
  };
  return kAll;
}

Performance perform(const Scenario& scenario, BackendKind backend, const std::optional<Strike>& strike) {
  Injector& injector = Injector::instance();
  const auto descriptors = open_descriptors();
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
  if (const auto after = open_descriptors(); after != descriptors)
    performance.violations.push_back(std::to_string(after) + " descriptors are open, were " +
                                     std::to_string(descriptors));
  return performance;
}

}  // namespace refloop::faults
