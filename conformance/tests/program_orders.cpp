#include "conformance/tests/program_orders.h"

#include "conformance/players/refloop_program.h"
#include "reference-loop/simulation.h"

namespace tickmark::programs {
namespace {

// More than all timeouts of a program together, and what makes one of two overdue.
constexpr std::array<Nanos, 2> kStalls{40ms, 5ms};
// Turns that something ready may be put off: as many as a program can have.
constexpr unsigned kPatience = 8;

}  // namespace

Orders all_orders(const Program& program, uint64_t runs_most) {
  Orders orders;
  refloop::Explorer explorer;
  refloop::SimulationOptions options = refloop::SimulationOptions::every_order(explorer);
  options.patience = kPatience;
  refloop::Simulation simulation(options);
  const auto loop =
      refloop::Loop::create({.backend = refloop::BackendKind::simulated, .simulation = &simulation}).value();
  RefloopProgram player(*loop, {.choices = kStalls});
  while (explorer.next()) {
    if (explorer.runs() > runs_most) return orders;
    simulation.spend(1s - simulation.now() % 1s);
    orders.all.insert(player.play(program).steps);
    orders.runs = explorer.runs();
  }
  orders.complete = true;
  return orders;
}

}  // namespace tickmark::programs
