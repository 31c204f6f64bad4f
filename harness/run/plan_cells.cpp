#include "harness/run/plan_cells.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <numeric>

#include "harness/base/random.h"
#include "harness/vocabulary/subject.h"

namespace tickmark::run {
namespace {

/// FNV-1a: a seed must not depend on the standard library's hash.
uint64_t hash_text(std::string_view text) {
  uint64_t hash = 0xcbf29ce484222325ULL;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  return hash;
}

std::string_view loop_name(const CellTemplate& cell) {
  if (cell.scenario == load::Scenario::kStorm) return "storm";
  return cell.open_loop ? "open" : "closed";
}

std::string cell_id(const CellTemplate& cell, std::optional<double> share) {
  std::string id = cell.workload;
  if (!cell.variant.empty()) id += "/" + cell.variant;
  id += fmt::format("/{}/{}", loop_name(cell), cell.connections);
  if (share) id += fmt::format("/{:g}", std::round(*share * 1000) / 10);
  if (cell.rate_per_s) id += fmt::format("/r{:g}", *cell.rate_per_s);
  for (const auto& [key, value] : cell.params) id += fmt::format("/{}={}", key, value);
  return id;
}

Expected<Parameters> fill_params(const CellTemplate& cell, const WorkloadSpec& spec) {
  Parameters params;
  for (const ParameterSpec& param : spec.params) params[param.name] = param.fallback;
  for (const auto& [key, value] : cell.params) {
    if (!params.contains(key)) {
      return usage_error(
          fmt::format("workload {} has no parameter '{}'; see docs/workloads.md", spec.id, key));
    }
    params[key] = value;
  }
  return params;
}

Expected<void> check_variant(const std::string& variant, const WorkloadSpec& spec) {
  const auto named = [&](const VariantSpec& v) { return v.name == variant; };
  if (variant.empty() || std::ranges::any_of(spec.variants, named)) return {};
  std::vector<std::string> known;
  for (const VariantSpec& v : spec.variants) known.push_back(v.name);
  return usage_error(fmt::format("workload {} has no variant '{}'; expected one of {}", spec.id, variant,
                                 fmt::join(known, ", ")));
}

std::vector<PlannedLane> make_lanes(const CellTemplate& cell, double rate) {
  std::vector<PlannedLane> lanes;
  const auto arrivals = cell.open_loop ? cell.arrivals : load::Arrivals::kClosed;
  lanes.push_back({.name = cell.beside.empty() ? "main" : "heavy",
                   .variant = cell.variant,
                   .connections = cell.connections,
                   .arrivals = arrivals,
                   .rate_per_s = cell.open_loop ? rate : 0});
  for (const LaneTemplate& lane : cell.beside) {
    lanes.push_back({.name = lane.name,
                     .variant = lane.variant,
                     .connections = lane.connections,
                     .arrivals = lane.arrivals,
                     .rate_per_s = lane.rate_per_s});
  }
  return lanes;
}

bool speaks_all(const std::vector<std::string>& workloads, const PlannedCell& cell) {
  return std::ranges::all_of(
      cell.lanes, [&](const PlannedLane& lane) { return speaks(workloads, cell.workload, lane.variant); });
}

void choose_subjects(PlannedCell& cell, const std::vector<PlannedSubject>& subjects) {
  for (const PlannedSubject& subject : subjects) {
    if (!subject.available) {
      cell.skipped.push_back({subject.id, subject.reason});
    } else if (!speaks_all(subject.workloads, cell)) {
      const auto reason = subject.workloads.size() == 1
                              ? fmt::format("speaks {} only", subject.workloads.front())
                              : fmt::format("does not speak {}{}{}", cell.workload,
                                            cell.variant.empty() ? "" : "/", cell.variant);
      cell.skipped.push_back({subject.id, reason});
    } else {
      cell.subjects.push_back(subject.id);
    }
  }
}

Expected<double> rate_of(const CellTemplate& cell, const WorkloadSpec& spec, std::optional<double> share,
                         const Calibration& calibration) {
  if (cell.rate_per_s) return *cell.rate_per_s;
  const std::string key = calibration_key(cell, spec);
  const auto found = calibration.capacity_per_s.find(key);
  if (found == calibration.capacity_per_s.end() || !(found->second > 0)) {
    return environment_error(fmt::format(
        "the capacity of {} for {} is unknown, so no rate can be set; calibrate it or give --rate",
        calibration.subject, key));
  }
  // Three significant digits: a rate that pretends to more is not more common to all subjects.
  const double exact = found->second * *share;
  const double unit = std::pow(10.0, std::floor(std::log10(exact)) - 2);
  return std::max(1.0, std::round(exact / unit) * unit);
}

Expected<PlannedCell> make_cell(const CellTemplate& from, const WorkloadSpec& spec,
                                std::optional<double> share, const PlanInput& input) {
  PlannedCell cell;
  cell.id = cell_id(from, share);
  cell.workload = from.workload;
  cell.variant = from.variant;
  cell.scenario = from.scenario;
  cell.open_loop = from.open_loop;
  cell.connections = from.connections;
  cell.capacity_share = share;
  cell.placement = from.placement.value_or(spec.placement);
  cell.blocks = from.blocks;
  cell.warmup = from.warmup;
  cell.duration = from.duration;
  cell.gate = from.gate;
  cell.together = from.together;
  if (auto ok = check_variant(from.variant, spec); !ok) return std::unexpected(ok.error());
  for (const LaneTemplate& lane : from.beside) {
    if (auto ok = check_variant(lane.variant, spec); !ok) return std::unexpected(ok.error());
  }
  auto params = fill_params(from, spec);
  if (!params) return std::unexpected(params.error());
  cell.params = std::move(*params);
  if (from.open_loop) {
    auto rate =
        input.rates_later && share ? Expected<double>(0.0) : rate_of(from, spec, share, input.calibration);
    if (!rate) return std::unexpected(rate.error());
    cell.rate_per_s = *rate;
  }
  cell.lanes = make_lanes(from, cell.rate_per_s);
  choose_subjects(cell, input.subjects);
  return cell;
}

template <typename T>
void shuffle(std::vector<T>& items, SplitMix64& random) {
  for (size_t left = items.size(); left > 1; --left) std::swap(items[left - 1], items[random.below(left)]);
}

}  // namespace

std::string calibration_key(const CellTemplate& cell, const WorkloadSpec& spec) {
  const std::string& variant = cell.capacity_of.empty() ? cell.variant : cell.capacity_of;
  const Placement placement = cell.placement.value_or(spec.placement);
  std::string key =
      cell.workload + (variant.empty() ? "" : "_" + variant) + fmt::format("_{}", cell.connections);
  if (placement != spec.placement) key += placement == Placement::kShared ? "_shared" : "_isolated";
  for (const auto& [name, value] : cell.params) key += fmt::format("_{}={}", name, value);
  return key;
}

Expected<const WorkloadSpec*> find_workload(const std::vector<WorkloadSpec>& workloads,
                                            const std::string& id) {
  for (const WorkloadSpec& spec : workloads) {
    if (spec.id == id) return &spec;
  }
  std::vector<std::string> known;
  for (const WorkloadSpec& spec : workloads) known.push_back(spec.id);
  return usage_error(
      fmt::format("workload '{}' does not exist; expected one of {}", id, fmt::join(known, ", ")));
}

Expected<std::vector<PlannedCell>> make_cells(const Suite& suite, const PlanInput& input) {
  std::vector<PlannedCell> cells;
  for (const CellTemplate& from : suite.cells) {
    auto spec = find_workload(input.workloads, from.workload);
    if (!spec) return std::unexpected(spec.error());
    std::vector<std::optional<double>> shares(from.capacity_shares.begin(), from.capacity_shares.end());
    if (shares.empty()) shares.push_back(std::nullopt);
    for (const auto& share : shares) {
      auto cell = make_cell(from, **spec, share, input);
      if (!cell) return std::unexpected(cell.error());
      const auto twin = std::ranges::find(cells, cell->id, &PlannedCell::id);
      if (twin == cells.end()) {
        cells.push_back(std::move(*cell));
      } else if (cell->blocks > twin->blocks) {
        *twin = std::move(*cell);
      }
    }
  }
  return cells;
}

std::vector<PlannedTrial> make_schedule(const std::vector<PlannedCell>& cells, uint64_t seed) {
  int blocks = 0;
  for (const PlannedCell& cell : cells) blocks = std::max(blocks, cell.blocks);
  std::vector<PlannedTrial> schedule;
  SplitMix64 random(seed);
  for (int block = 0; block < blocks; ++block) {
    std::vector<const PlannedCell*> order;
    for (const PlannedCell& cell : cells) {
      if (block < cell.blocks) order.push_back(&cell);
    }
    shuffle(order, random);
    for (const PlannedCell* cell : order) {
      // 53 bits: seeds pass through JSON readers that know only doubles.
      const uint64_t arrivals =
          SplitMix64(seed ^ hash_text(cell->id) ^ (static_cast<uint64_t>(block) << 48)).next() >> 11;
      std::vector<std::string> subjects = cell->subjects;
      shuffle(subjects, random);
      for (const std::string& subject : subjects) {
        schedule.push_back({static_cast<int>(schedule.size()), block, cell->id, subject, arrivals});
      }
    }
  }
  return schedule;
}

}  // namespace tickmark::run
