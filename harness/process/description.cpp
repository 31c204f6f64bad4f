// What a subject says of itself (`describe`), and whether that is what was asked for.

#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "harness/process/registry.h"

namespace tickmark::process {
namespace {

using Json = nlohmann::json;

std::unexpected<Error> broken(std::string_view text, std::string_view what) {
  return subject_error(fmt::format("'describe' printed '{}': {}", text.substr(0, 200), what));
}

/// Numbers and booleans are accepted as text: {"pool": 4} is {"pool": "4"}.
bool fill_texts(const Json& object, const char* key, std::map<std::string, std::string>& out) {
  if (!object.contains(key)) return true;
  if (!object[key].is_object()) return false;
  for (const auto& [name, value] : object[key].items()) {
    if (value.is_structured() || value.is_null()) return false;
    out[name] = value.is_string() ? value.get<std::string>() : value.dump();
  }
  return true;
}

bool fill_list(const Json& object, const char* key, std::vector<std::string>& out) {
  if (!object.contains(key)) return true;
  if (!object[key].is_array()) return false;
  for (const Json& value : object[key]) {
    if (!value.is_string()) return false;
    out.push_back(value.get<std::string>());
  }
  return true;
}

}  // namespace

Expected<SubjectDescription> parse_description(std::string_view text, const std::string& name) {
  const Json object = Json::parse(text, nullptr, false);
  if (!object.is_object()) return broken(text, "expected one JSON object");
  SubjectDescription description;
  if (!object.contains("name") || !object["name"].is_string()) return broken(text, "'name' must be a string");
  description.name = object["name"].get<std::string>();
  if (description.name != name) {
    return broken(
        text, fmt::format("its name is '{}', but its folder in baselines/ is '{}'", description.name, name));
  }
  if (!fill_texts(object, "versions", description.versions))
    return broken(text, "'versions' must map names to texts");
  if (!fill_texts(object, "options", description.options))
    return broken(text, "'options' must map names to texts");
  if (!fill_list(object, "workloads", description.workloads))
    return broken(text, "'workloads' must be a list of names");
  if (!fill_list(object, "features", description.features))
    return broken(text, "'features' must be a list of names");
  if (description.versions.empty()) return broken(text, "'versions' must name at least one version");
  if (description.workloads.empty() && description.features.empty())
    return broken(text, "it serves no workload and has no feature");
  return description;
}

std::string version_mismatch(const SubjectName& name, const SubjectDescription& description) {
  if (name.version.empty()) return "";
  const auto matches = [&](std::string_view version) {
    if (version.starts_with('v')) version.remove_prefix(1);
    if (!version.starts_with(name.version)) return false;
    const std::string_view rest = version.substr(name.version.size());
    return rest.empty() || !std::isdigit(static_cast<unsigned char>(rest[0])) || name.version.ends_with('.');
  };
  std::vector<std::string> seen;
  // The runtime's own version decides where it is named as the subject is (node_cluster: node).
  for (const std::string& key : {name.name, name.name.substr(0, name.name.find('_'))}) {
    if (const auto own = description.versions.find(key); own != description.versions.end()) {
      if (matches(own->second)) return "";
      seen = {own->first + " " + own->second};
      break;
    }
  }
  if (seen.empty()) {
    for (const auto& [key, version] : description.versions) {
      if (matches(version)) return "";
      seen.push_back(key + " " + version);
    }
  }
  return fmt::format(
      "version {} was asked for, here is {}; choose the program with ':binary=PATH' or drop '@{}'",
      name.version, fmt::join(seen, ", "), name.version);
}

}  // namespace tickmark::process
