#include "conformance/players/virtual_time.h"

#include <charconv>
#include <fmt/format.h>

namespace tickmark::conformance {

namespace {

constexpr Nanos kReadTime{40};
// Now and then the thread loses its core in between, for as long as the timers of scenarios notice.
constexpr unsigned kStallPermille = 20;
constexpr Nanos kStallMost = 4ms;

// FNV-1a, continued from `seed`.
uint64_t mix(uint64_t seed, std::string_view text) {
  uint64_t hash = 0xcbf29ce484222325 ^ seed;
  for (const char character : text) hash = (hash ^ static_cast<unsigned char>(character)) * 0x100000001b3;
  return hash;
}

Expected<refloop::SimulationOptions> world_option(const Parameters& options) {
  refloop::SimulationOptions world;
  const auto perturb = options.find("perturb");
  if (perturb == options.end() || perturb->second == "off") return world;
  if (perturb->second != "legal" && perturb->second != "closes") {
    return usage_error(fmt::format("option perturb={}: expected one of off, legal, closes", perturb->second));
  }
  world.work_start.most = 2ms;
  world.work_time.most = 5ms;
  world.transit.most = 3ms;
  world.short_permille = 333;
  world.late_permille = 250;
  world.late_most = 8ms;
  if (perturb->second == "closes") world.close_deferred_permille = 50;
  return world;
}

}  // namespace

std::unique_ptr<refloop::Simulation> VirtualTime::make(uint64_t seed, Nanos start) const {
  refloop::SimulationOptions options = world_;
  options.seed = seed;
  options.start = start;
  return std::make_unique<refloop::Simulation>(options);
}

refloop::Simulation& VirtualTime::next(const Recorder& recorder) {
  simulation_ = make(mix(seed_ << 32 | recorder.run(), recorder.scenario()), simulation_->now());
  return *simulation_;
}

Nanos VirtualTime::now() {
  refloop::Choices& choices = simulation_->choices();
  simulation_->spend(choices.chance(kStallPermille) ? choices.between(kReadTime, kStallMost) : kReadTime);
  return simulation_->now();
}

Expected<std::unique_ptr<VirtualTime>> virtual_time_option(const Parameters& options) {
  const auto time = options.find("time");
  if (time == options.end() || time->second == "real") return nullptr;
  if (time->second != "virtual")
    return usage_error(fmt::format("option time={}: expected one of real, virtual", time->second));
  uint64_t seed = 1;
  if (const auto given = options.find("seed"); given != options.end()) {
    const std::string& text = given->second;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seed);
    if (error != std::errc() || end != text.data() + text.size())
      return usage_error(fmt::format("option seed={}: expected a whole number", text));
  }
  const auto world = world_option(options);
  if (!world) return std::unexpected(world.error());
  return std::make_unique<VirtualTime>(seed, *world);
}

}  // namespace tickmark::conformance
