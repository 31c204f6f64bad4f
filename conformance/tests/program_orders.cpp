#include "conformance/tests/program_orders.h"

#include "conformance/players/refloop_program.h"
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

}  // namespace tickmark::programs
