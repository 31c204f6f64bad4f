#include "harness/cli/settings.h"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fmt/format.h>
#include <numeric>
#include <toml++/toml.h>

namespace tickmark::cli {
namespace {

// Variables that are not options: where the product and its binaries are.
constexpr std::string_view kReserved[] = {"TICKMARK_ROOT", "TICKMARK_BIN"};

std::string scalar_text(const toml::node& node) {
  if (auto text = node.value_exact<std::string>()) return *text;
  if (auto flag = node.value_exact<bool>()) return *flag ? "true" : "false";
  if (auto whole = node.value_exact<int64_t>()) return fmt::format("{}", *whole);
  if (auto real = node.value_exact<double>()) return fmt::format("{}", *real);
  return {};
}

/// `run.find-max` -> TICKMARK_RUN_FIND_MAX
std::string variable_name(std::string_view key) {
  std::string name = "TICKMARK_";
  for (char c : key) name += c == '-' || c == '.' ? '_' : static_cast<char>(std::toupper(c));
  return name;
}

/// Every key that may be set: `<option>` and `<verb>.<option>`.
std::vector<std::string> known_keys(const CLI::App& app) {
  std::vector<std::string> keys;
  for (const CLI::App* verb : app.get_subcommands(nullptr)) {
    for (const CLI::Option* option : verb->get_options()) {
      for (const std::string& name : option->get_lnames()) {
        if (name == "help") continue;
        keys.push_back(name);
        keys.push_back(verb->get_name() + "." + name);
      }
    }
  }
  return keys;
}

std::string nearest(std::string_view wanted, const std::vector<std::string>& names) {
  auto best =
      std::ranges::min_element(names, {}, [&](const auto& name) { return edit_distance(wanted, name); });
  return best == names.end() ? "" : *best;
}

}  // namespace

size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 0; i < a.size(); ++i) {
    size_t diagonal = row[0]++;
    for (size_t j = 0; j < b.size(); ++j) {
      const size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({row[j + 1] + 1, row[j] + 1, replaced});
    }
  }
  return row[b.size()];
}

Expected<void> Settings::read_file(const std::string& path) {
  toml::table table;
  try {
    table = toml::parse_file(path);
  } catch (const toml::parse_error& error) {
    return usage_error(fmt::format("configuration file '{}', line {}: {}; expected TOML, see README.md", path,
                                   error.source().begin.line, error.description()));
  }
  for (const auto& [key, node] : table) {
    const std::string name{key.str()};
    if (const toml::table* section = node.as_table()) {
      for (const auto& [inner, value] : *section) {
        file_[name + "." + std::string(inner.str())] = {scalar_text(value), path};
      }
    } else {
      file_[name] = {scalar_text(node), path};
    }
  }
  for (const auto& [key, value] : file_) {
    if (value.text.empty()) {
      return usage_error(fmt::format(
          "configuration file '{}': the value of '{}' must be a string, a number or a boolean", path, key));
    }
  }
  return {};
}

Expected<Settings> Settings::load(const std::string& explicit_file, char** environment) {
  Settings settings;
  const char* home = std::getenv("XDG_CONFIG_HOME");
  std::error_code ignored;
  if (!explicit_file.empty() && !std::filesystem::is_regular_file(explicit_file, ignored)) {
    return usage_error(fmt::format(
        "configuration file '{}' cannot be read; give an existing TOML file to --config", explicit_file));
  }
  const std::string candidates[] = {
      explicit_file, explicit_file.empty() ? "tickmark.toml" : "",
      explicit_file.empty() && home ? std::string(home) + "/tickmark/config.toml" : ""};
  for (const std::string& path : candidates) {
    if (path.empty() || !std::filesystem::is_regular_file(path, ignored)) continue;
    if (auto read = settings.read_file(path); !read) return std::unexpected(read.error());
    break;
  }
  for (char** entry = environment; entry && *entry; ++entry) {
    const std::string_view text = *entry;
    const size_t equals = text.find('=');
    if (!text.starts_with("TICKMARK_") || equals == std::string_view::npos) continue;
    const std::string_view name = text.substr(0, equals);
    if (std::ranges::find(kReserved, name) != std::end(kReserved)) continue;
    settings.environment_[std::string(name)] = {std::string(text.substr(equals + 1)), "the environment"};
  }
  return settings;
}

Expected<void> Settings::check(const CLI::App& app) const {
  const std::vector<std::string> keys = known_keys(app);
  for (const auto& [key, value] : file_) {
    if (std::ranges::find(keys, key) == keys.end()) {
      return usage_error(fmt::format("configuration file '{}': unknown key '{}'; did you mean '{}'?",
                                     value.origin, key, nearest(key, keys)));
    }
  }
  std::vector<std::string> variables;
  for (const std::string& key : keys) variables.push_back(variable_name(key));
  for (const auto& [name, value] : environment_) {
    if (std::ranges::find(variables, name) == variables.end()) {
      return usage_error(fmt::format("environment variable '{}' is unknown; did you mean '{}'?", name,
                                     nearest(name, variables)));
    }
  }
  return {};
}

Expected<void> Settings::apply(CLI::App& verb) const {
  for (CLI::Option* option : verb.get_options()) {
    if (option->count() > 0 || option->get_lnames().empty()) continue;
    const std::string name = option->get_lnames().front();
    const std::string scoped = verb.get_name() + "." + name;
    const Value* found = nullptr;
    for (const std::string& key : {name, scoped}) {
      if (auto it = file_.find(key); it != file_.end()) found = &it->second;
    }
    for (const std::string& key : {name, scoped}) {
      if (auto it = environment_.find(variable_name(key)); it != environment_.end()) found = &it->second;
    }
    if (!found) continue;
    try {
      option->add_result(found->text);
      option->run_callback();
    } catch (const CLI::Error& error) {
      return usage_error(
          fmt::format("{}: '{}' = '{}' is not valid: {}", found->origin, name, found->text, error.what()));
    }
  }
  return {};
}

}  // namespace tickmark::cli
