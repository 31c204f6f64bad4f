// subject.yaml and spec.yaml. Both are written by people who add a folder, so every mistake is told with
// file and key; nothing unknown is ignored.

#include <algorithm>
#include <cctype>
#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include "harness/process/registry.h"

namespace tickmark::process {
namespace {

/// A mapping of one file; throws Error, which stays inside this file (load_mapping catches it).
class Mapping {
 public:
  Mapping(std::string where, YAML::Node node, const std::vector<std::string>& known)
      : where_(std::move(where)), node_(std::move(node)) {
    if (!node_.IsMap()) fail("", "expected 'key: value' lines");
    for (const auto& entry : node_) {
      const auto key = entry.first.as<std::string>();
      if (std::ranges::find(known, key) != known.end()) continue;
      fail(key,
           fmt::format("unknown key;{} known keys: {}", did_you_mean(key, known), fmt::join(known, ", ")));
    }
  }

  [[noreturn]] void fail(std::string_view key, std::string_view what) const {
    throw Error{ErrorKind::kEnvironment, key.empty() ? fmt::format("{}: {}", where_, what)
                                                     : fmt::format("{}: '{}': {}", where_, key, what)};
  }
  bool has(const char* key) const { return node_[key] && !node_[key].IsNull(); }
  std::string text(const char* key) const {
    if (!has(key)) fail(key, "is missing; every such file needs it");
    if (!node_[key].IsScalar()) fail(key, "expected one text");
    return node_[key].as<std::string>();
  }
  std::string sentence(const char* key) const {
    auto value = text(key);
    if (value.empty()) fail(key, "is empty; say it in one sentence");
    return value;
  }
  std::string text_or_empty(const char* key) const { return has(key) ? text(key) : ""; }
  YAML::Node list(const char* key) const {
    if (!has(key)) return {};
    if (!node_[key].IsSequence()) fail(key, "expected a list");
    return node_[key];
  }
  YAML::Node map(const char* key) const {
    if (!has(key)) return {};
    if (!node_[key].IsMap()) fail(key, "expected a mapping");
    return node_[key];
  }
  template <typename T>
  T one_of(const char* key, const std::vector<std::pair<std::string, T>>& choices) const {
    const auto value = text(key);
    std::string names;
    for (const auto& [name, choice] : choices) {
      if (name == value) return choice;
      names += (names.empty() ? "" : " or ") + name;
    }
    fail(key, fmt::format("'{}' is not one of its values; expected {}", value, names));
  }
  const std::string& where() const { return where_; }

 private:
  std::string where_;
  YAML::Node node_;
};

template <typename Fill>
auto load_mapping(const std::filesystem::path& file, const std::vector<std::string>& known, Fill fill)
    -> Expected<decltype(fill(std::declval<const Mapping&>()))> {
  try {
    return fill(Mapping(file.string(), YAML::LoadFile(file.string()), known));
  } catch (Error& error) {
    return std::unexpected(std::move(error));
  } catch (const YAML::BadFile&) {
    return environment_error(fmt::format("{}: cannot be read; check that it exists", file.string()));
  } catch (const YAML::Exception& error) {
    return environment_error(
        fmt::format("{}: line {}: {}; correct the YAML", file.string(), error.mark.line + 1, error.msg));
  }
}

bool is_colour(const std::string& text) {
  return text.size() == 7 && text[0] == '#' &&
         std::all_of(text.begin() + 1, text.end(), [](unsigned char c) { return std::isxdigit(c) != 0; });
}

/// Every {placeholder} of the command must be filled by something.
void check_placeholders(const Mapping& file, const SubjectManifest& manifest) {
  for (const std::string& word : manifest.command) {
    for (size_t open = word.find('{'); open != std::string::npos; open = word.find('{', open + 1)) {
      const size_t close = word.find('}', open);
      const std::string name = word.substr(open + 1, close == std::string::npos ? close : close - open - 1);
      if (close != std::string::npos &&
          (name == "dir" || name == "bin" || manifest.launch_options.contains(name)))
        continue;
      file.fail("command",
                fmt::format("'{}': '{{{}}}' is neither {{dir}}, {{bin}} nor a launch option", word, name));
    }
  }
}

SubjectManifest fill_subject(const Mapping& file, const std::string& name) {
  SubjectManifest manifest;
  manifest.name = name;
  if (const auto parsed = SubjectName::parse(name); !parsed || parsed->name != name) {
    file.fail("", fmt::format("the folder's name '{}' is no subject name; use a-z, 0-9 and _", name));
  }
  manifest.title = file.sentence("title");
  manifest.says = file.sentence("says");
  manifest.colour = file.text("colour");
  if (!is_colour(manifest.colour))
    file.fail("colour", fmt::format("'{}' is no colour; expected \"#rrggbb\" in quotes", manifest.colour));
  for (const auto& word : file.list("command")) manifest.command.push_back(word.as<std::string>());
  if (manifest.command.empty())
    file.fail("command", "is missing or empty; expected a list: program, arguments");
  manifest.binary = file.text_or_empty("binary");
  manifest.install = file.text_or_empty("install");
  manifest.caveat = file.text_or_empty("caveat");
  for (const auto& option : file.map("launch_options")) {
    manifest.launch_options[option.first.as<std::string>()] = option.second.as<std::string>();
  }
  manifest.fetched = file.text_or_empty("fetched");
  if (!manifest.fetched.empty() && !manifest.launch_options.contains("binary")) {
    file.fail("fetched", "needs a launch option 'binary', whose place a fetched program takes");
  }
  check_placeholders(file, manifest);
  return manifest;
}

template <typename Each>
void named_entries(const Mapping& file, const char* key, const std::vector<std::string>& known, Each each) {
  std::vector<std::string> seen;
  for (const auto& node : file.list(key)) {
    const Mapping entry(fmt::format("{}: '{}' entry {}", file.where(), key, seen.size() + 1), node, known);
    const auto name = entry.sentence("name");
    if (std::ranges::find(seen, name) != seen.end())
      entry.fail("name", fmt::format("'{}' is given twice", name));
    seen.push_back(name);
    each(entry, name);
  }
}

WorkloadSpec fill_workload(const Mapping& file, const std::string& id) {
  WorkloadSpec spec;
  spec.id = id;
  spec.title = file.sentence("title");
  spec.says = file.sentence("says");
  spec.not_told = file.sentence("not_told");
  spec.kind =
      file.one_of<WorkloadKind>("kind", {{"stream", WorkloadKind::kStream}, {"http", WorkloadKind::kHttp}});
  spec.placement = file.one_of<Placement>(
      "placement", {{"isolated", Placement::kIsolated}, {"shared", Placement::kShared}});
  named_entries(file, "params", {"name", "default", "says"},
                [&](const Mapping& entry, const std::string& name) {
                  spec.params.push_back({name, entry.text("default"), entry.sentence("says")});
                });
  named_entries(file, "variants", {"name", "says"}, [&](const Mapping& entry, const std::string& name) {
    spec.variants.push_back({name, entry.sentence("says")});
  });
  return spec;
}

}  // namespace

Expected<SubjectManifest> load_subject_manifest(const std::filesystem::path& file) {
  const std::string name = file.parent_path().filename();
  return load_mapping(
      file,
      {"title", "says", "colour", "command", "binary", "install", "caveat", "launch_options", "fetched"},
      [&](const Mapping& mapping) { return fill_subject(mapping, name); });
}

Expected<WorkloadSpec> load_workload_spec(const std::filesystem::path& file) {
  const std::string id = file.parent_path().filename();
  return load_mapping(file, {"title", "says", "kind", "placement", "params", "variants", "not_told"},
                      [&](const Mapping& mapping) { return fill_workload(mapping, id); });
}

}  // namespace tickmark::process
