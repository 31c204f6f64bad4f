#include "reference-loop/faults/world.h"

namespace refloop::faults {
namespace {

// Longer than any scenario takes on a busy machine: only a lost callback waits for it.
constexpr Nanos kPatience = std::chrono::seconds(20);
constexpr unsigned kTurnsMax = 20'000;

}  // namespace

World::World(BackendKind backend, FilesOn files, Ledger& ledger) : ledger_(ledger) {
  auto created = Loop::create({.backend = backend, .files = files, .pool_size = 1});
  if (!ledger_.took("create", created)) return;
  loop_ = std::move(*created);
  if (backend == BackendKind::simulated) return;  // where twenty seconds pass at once
  patience_ = std::make_unique<Timer>(*loop_);
  patience_->unref();
  patience_->data = this;
  (void)patience_->start(
      [](Timer& timer) {
        auto& world = *static_cast<World*>(timer.data);
        world.ledger_.broken("the loop stands still");
        world.wind_up();
      },
      kPatience);
}

World::~World() {
  patience_.reset();
  loop_.reset();
}

void World::on_wind_up(std::function<void()> closer) {
  if (winding_up_)
    closer();
  else
    closers_.push_back(std::move(closer));
}

void World::wind_up() {
  if (winding_up_) return;
  winding_up_ = true;
  for (const auto& closer : closers_) closer();
}

bool World::fine(Error error) {
  if (error == Error::none) return true;
  wind_up();
  return false;
}

void World::run() {
  while (loop_->alive()) {
    if (++turns_ == kTurnsMax) {
      ledger_.broken("the loop turns without end");
      wind_up();
    }
    if (turns_ > 2 * kTurnsMax) return;
    loop_->run(RunMode::once);
  }
  if (winding_up_) return;
  // Nothing is under way, and nobody asked for the end: what is missing, the ledger tells.
  wind_up();
  while (loop_->alive()) loop_->run(RunMode::once);
}

std::string pattern(std::size_t size) {
  std::string bytes(size, '\0');
  std::uint32_t state = 1;
  for (char& byte : bytes) {
    state = state * 1664525 + 1013904223;
    byte = static_cast<char>(state >> 24);
  }
  return bytes;
}

}  // namespace refloop::faults
