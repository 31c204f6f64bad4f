#include "conformance/players/virtual_program.h"

namespace tickmark::programs {
namespace {

refloop::SimulationOptions options_of(const Perturbation& perturbation, refloop::Choices& choices) {
  refloop::SimulationOptions options;
  options.choices = &choices;
  options.late_permille = perturbation.late_permille;
  options.late_most = perturbation.late_most;
  options.work_time.most = perturbation.work_most;
  return options;
}

}  // namespace

VirtualProgram::VirtualProgram(uint64_t seed, const Perturbation& perturbation)
    : seed_(seed), choices_(seed), simulation_(options_of(perturbation, choices_)) {
  loop_ =
      refloop::Loop::create({.backend = refloop::BackendKind::simulated, .simulation = &simulation_}).value();
  player_ = std::make_unique<RefloopProgram>(*loop_, perturbation.stalls);
}

const Run& VirtualProgram::play(const Program& program) {
  std::destroy_at(&choices_);
  std::construct_at(&choices_, seed_ ^ (program.id + 1) * 0x9E3779B97F4A7C15ULL);
  simulation_.spend(1s - simulation_.now() % 1s);
  return player_->play(program);
}

}  // namespace tickmark::programs
