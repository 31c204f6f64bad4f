// The scenarios: small programs on the loop that make every system call it knows, most of them often.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "reference-loop/faults/injector.h"
#include "reference-loop/faults/ledger.h"
#include "reference-loop/faults/world.h"

namespace refloop::faults {

// What the one who asked is told of a failed call.
enum class Tells : std::uint8_t {
  the_error,      // this very error
  that_it_failed  // some error: the call was made by another party, who ended the connection, or itself
};

struct Scenario {
  std::string_view name;
  void (*play)(World& world);
  bool in_virtual_time = false;   // also: it has descriptors that a simulated loop looks at
  FilesOn files = FilesOn::pool;  // on the ring: only where there is one
  Tells tells = Tells::the_error;

  bool is_for(BackendKind backend) const {
    if (backend == BackendKind::simulated) return in_virtual_time;
    return files == FilesOn::pool || backend == BackendKind::io_uring;
  }
};

std::span<const Scenario> scenarios();

void echo(World& world);
void backpressure(World& world);
void flood(World& world);
void many_connects(World& world);
void refused_connect(World& world);
void timers(World& world);
void wake_ups(World& world);
void signals(World& world);
void foreign_descriptor(World& world);
void pool_work(World& world);
void files(World& world);
void datagrams(World& world);
void descriptors(World& world);
void plain_pipe(World& world);
void unheard_pipe(World& world);
void child(World& world);
void child_as_somebody(World& world);
void file_names(World& world);
void machine_names(World& world);
void secure_echo(World& world);
void http(World& world);
void fetch(World& world);
void cluster_hand_off(World& world);
void cluster_reuse_port(World& world);

// What one performance of a scenario came to.
struct Performance {
  Ledger::Outcome outcome;
  std::vector<std::string> violations;
  unsigned turns = 0;
  unsigned system_calls = 0;
  unsigned hits = 0;  // times the fault struck
};

// Plays a scenario with at most one strike and checks what can be checked from outside: that it ends, that
// every descriptor is closed again. The injector's counts of it stay readable.
Performance perform(const Scenario& scenario, BackendKind backend, const std::optional<Strike>& strike);

}  // namespace refloop::faults
