#include "harness/run/suite.h"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <functional>
#include <map>
#include <yaml-cpp/yaml.h>

namespace tickmark::run {
namespace {

namespace fs = std::filesystem;

/// yaml-cpp reports by exception; so does this loader inside, and load_suite turns it into an Error.
[[noreturn]] void fail(const YAML::Node& at, const std::string& what) {
  throw YAML::RepresentationException(at.Mark(), what);
}

/// One function per key. Every key of the file must be in the table: a typo is an error, not a default.
using Keys = std::map<std::string, std::function<void(const YAML::Node&)>>;

void read_map(const YAML::Node& node, const Keys& keys) {
  if (!node.IsMap()) fail(node, "expected a map of keys and values");
  for (const auto& pair : node) {
    const auto key = pair.first.as<std::string>();
    const auto found = keys.find(key);
    if (found == keys.end()) {
      std::vector<std::string> known;
      for (const auto& [name, _] : keys) known.push_back(name);
      fail(pair.first, fmt::format("unknown key '{}'; expected one of {}", key, fmt::join(known, ", ")));
    }
    found->second(pair.second);
  }
}

double positive(const YAML::Node& node) {
  const auto value = node.as<double>();
  if (!(value > 0)) fail(node, "expected a number above 0");
  return value;
}

int whole(const YAML::Node& node, int low, int high) {
  const int value = node.as<int>();
  if (value < low || value > high)
    fail(node, fmt::format("expected a whole number from {} to {}", low, high));
  return value;
}

Nanos milliseconds(const YAML::Node& node) { return from_seconds(positive(node) / 1e3); }

load::Arrivals arrivals(const YAML::Node& node) {
  const auto text = node.as<std::string>();
  if (text == "poisson") return load::Arrivals::kPoisson;
  if (text == "constant") return load::Arrivals::kConstant;
  fail(node, "expected arrivals poisson or constant");
}

Placement placement(const YAML::Node& node) {
  const auto text = node.as<std::string>();
  if (text == "isolated") return Placement::kIsolated;
  if (text == "shared") return Placement::kShared;
  fail(node, "expected placement isolated or shared");
}

/// `{metric: percent}` as shares.
std::map<std::string, double> read_margins(const YAML::Node& node) {
  std::map<std::string, double> margins;
  if (!node.IsMap()) fail(node, "expected a map of metrics and percentages");
  for (const auto& pair : node) margins[pair.first.as<std::string>()] = positive(pair.second) / 100;
  return margins;
}

LaneTemplate read_lane(const YAML::Node& node) {
  LaneTemplate lane;
  read_map(node, {
                     {"name", [&](auto& n) { lane.name = n.template as<std::string>(); }},
                     {"variant", [&](auto& n) { lane.variant = n.template as<std::string>(); }},
                     {"connections", [&](auto& n) { lane.connections = whole(n, 1, 1'000'000); }},
                     {"rate_per_s", [&](auto& n) { lane.rate_per_s = positive(n); }},
                     {"arrivals", [&](auto& n) { lane.arrivals = arrivals(n); }},
                 });
  if (lane.name.empty()) fail(node, "a lane needs a name");
  return lane;
}

/// `loop: open | closed | storm`: a storm is an open question of its own kind, not a rate.
void read_loop(const YAML::Node& node, CellTemplate& cell) {
  const auto text = node.as<std::string>();
  if (text != "open" && text != "closed" && text != "storm")
    fail(node, "expected loop open, closed or storm");
  cell.open_loop = text == "open";
  if (text == "storm") cell.scenario = load::Scenario::kStorm;
}

CellTemplate read_cell(const YAML::Node& node) {
  CellTemplate cell;
  read_map(node, {
                     {"workload", [&](auto& n) { cell.workload = n.template as<std::string>(); }},
                     {"variant", [&](auto& n) { cell.variant = n.template as<std::string>(); }},
                     {"loop", [&](auto& n) { read_loop(n, cell); }},
                     {"connections", [&](auto& n) { cell.connections = whole(n, 1, 1'000'000); }},
                     {"capacity_shares",
                      [&](auto& n) {
                        for (const auto& share : n) cell.capacity_shares.push_back(positive(share));
                      }},
                     {"capacity_of", [&](auto& n) { cell.capacity_of = n.template as<std::string>(); }},
                     {"rate_per_s", [&](auto& n) { cell.rate_per_s = positive(n); }},
                     {"arrivals", [&](auto& n) { cell.arrivals = arrivals(n); }},
                     {"placement", [&](auto& n) { cell.placement = placement(n); }},
                     {"blocks", [&](auto& n) { cell.blocks = whole(n, 1, 1000); }},
                     {"warmup_ms", [&](auto& n) { cell.warmup = milliseconds(n); }},
                     {"duration_ms", [&](auto& n) { cell.duration = milliseconds(n); }},
                     {"params", [&](auto& n) { cell.params = n.template as<Parameters>(); }},
                     {"together", [&](auto& n) { cell.together = n.template as<bool>(); }},
                     {"beside",
                      [&](auto& n) {
                        for (const auto& lane : n) cell.beside.push_back(read_lane(lane));
                      }},
                     {"gate_percent", [&](auto& n) { cell.gate = read_margins(n); }},
                 });
  if (cell.workload.empty()) fail(node, "a cell needs a workload");
  if (cell.duration <= Nanos{0}) fail(node, "a cell needs duration_ms");
  const bool has_rate = !cell.capacity_shares.empty() || cell.rate_per_s;
  if (cell.open_loop != has_rate) {
    fail(node, "loop open needs capacity_shares or rate_per_s; closed and storm have neither");
  }
  if (cell.together && !cell.open_loop)
    fail(node, "together needs loop open: a closed loop takes what the other leaves");
  if (!cell.capacity_shares.empty() && cell.rate_per_s)
    fail(node, "give capacity_shares or rate_per_s, not both");
  return cell;
}

Suite read_suite(const YAML::Node& root, const std::string& name) {
  Suite suite;
  suite.name = name;
  read_map(
      root,
      {
          {"says", [&](auto& n) { suite.says = n.template as<std::string>(); }},
          {"reference_subject", [&](auto& n) { suite.reference_subject = n.template as<std::string>(); }},
          {"subjects", [&](auto& n) { suite.subjects = n.template as<std::vector<std::string>>(); }},
          {"calibration_ms", [&](auto& n) { suite.calibration_duration = milliseconds(n); }},
          {"conformance_repeat", [&](auto& n) { suite.conformance_repeat = whole(n, 1, 100'000); }},
          {"conformance_rules",
           [&](auto& n) { suite.conformance_rules = n.template as<std::vector<std::string>>(); }},
          {"conformance_background_connections",
           [&](auto& n) { suite.conformance_background_connections = whole(n, 0, 1'000'000); }},
          {"cells",
           [&](auto& n) {
             for (const auto& cell : n) suite.cells.push_back(read_cell(cell));
           }},
      });
  if (suite.cells.empty()) fail(root, "a suite needs cells");
  if (suite.calibration_duration <= Nanos{0}) fail(root, "a suite needs calibration_ms");
  return suite;
}

}  // namespace

Expected<Suite> load_suite(const fs::path& folder, const std::string& name) {
  const fs::path path = folder / (name + ".yaml");
  std::error_code failure;
  const bool plain = !name.empty() && name.find('/') == std::string::npos;
  if (!plain || !fs::is_regular_file(path, failure)) {
    return usage_error(fmt::format("suite '{}' does not exist; expected one of {}", name,
                                   fmt::join(suite_names(folder), ", ")));
  }
  try {
    return read_suite(YAML::LoadFile(path.string()), name);
  } catch (const YAML::Exception& e) {
    return usage_error(
        fmt::format("{} line {}: {}; correct the suite", path.string(), e.mark.line + 1, e.msg));
  }
}

std::vector<std::string> suite_names(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code failure;
  for (const auto& entry : fs::directory_iterator(folder, failure)) {
    if (entry.path().extension() == ".yaml") names.push_back(entry.path().stem().string());
  }
  std::ranges::sort(names);
  return names;
}

}  // namespace tickmark::run
