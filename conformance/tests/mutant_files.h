#pragma once
// conformance/mutants/*.yaml: each a fault of the reference loop, or a difference that is none.

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>
#include <yaml-cpp/yaml.h>

namespace tickmark::conformance {

struct Mutant {
  std::string name;
  std::string says;
  std::vector<std::string> killed_by;  ///< must and should rules, each of which kills it
  bool equivalent = false;             ///< no rule may kill it: it does what others may do
};

/// By name. A file with neither or both is refused by an exception.
inline std::vector<Mutant> read_mutants(const std::filesystem::path& folder) {
  std::vector<Mutant> mutants;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() != ".yaml") continue;
    const YAML::Node document = YAML::LoadFile(entry.path().string());
    Mutant mutant{entry.path().stem().string(), document["says"].as<std::string>(), {}, false};
    if (document["killed_by"]) mutant.killed_by = document["killed_by"].as<std::vector<std::string>>();
    if (document["equivalent"]) mutant.equivalent = document["equivalent"].as<bool>();
    if (mutant.equivalent != mutant.killed_by.empty())
      throw std::runtime_error("mutant " + mutant.name + ": expected either killed_by or equivalent: true");
    mutants.push_back(std::move(mutant));
  }
  std::ranges::sort(mutants, {}, &Mutant::name);
  return mutants;
}

}  // namespace tickmark::conformance
