#include "conformance/tests/program_orders.h"

#include "conformance/players/virtual_program.h"
#include "reference-loop/simulation.h"

namespace tickmark::programs {
namespace {

// What lies between the durations of programs (1, 4, 7 and 10 ms), and more than all of them together.
constexpr std::array<Nanos, 4> kStalls{3ms, 6ms, 9ms, 40ms};
// Turns that something ready may be put off: as many as a program can have.
constexpr unsigned kPatience = 8;

}  // namespace

Orders all_orders(const Program& program, uint64_t runs_most) {
  Orders orders;
  refloop::Explorer explorer;
  while (explorer.next()) {
    if (explorer.runs() > runs_most) return orders;
    refloop::SimulationOptions options = refloop::SimulationOptions::every_order(explorer);
    options.patience = kPatience;
    refloop::Simulation simulation(options);
    const auto loop =
        refloop::Loop::create({.backend = refloop::BackendKind::simulated, .simulation = &simulation})
            .value();
    RefloopProgram player(*loop, {.choices = kStalls});
    orders.all.insert(player.play(program).steps);
    orders.runs = explorer.runs();
  }
  orders.complete = true;
  return orders;
}

std::set<Order> found_at_random(const Program& program, std::set<Order> wanted, uint64_t runs_most) {
  constexpr Perturbation kAnyStalls{
      .stalls = {.permille = 300, .most = 8ms}, .late_permille = 300, .late_most = 3ms, .work_most = 8ms};
  std::set<Order> found;
  VirtualProgram player(1, kAnyStalls);
  Program scheduled = program;
  for (uint64_t run = 0; run < runs_most && !wanted.empty(); ++run) {
    scheduled.id = run;  // the schedule follows from it
    if (auto order = wanted.extract(player.play(scheduled).steps)) found.insert(std::move(order));
  }
  return found;
}

}  // namespace tickmark::programs
