#pragma once
// Where a value comes from: flags beat TICKMARK_* variables beat the configuration file beat defaults.
//
// CLI11's own configuration is not used: in the packaged version the file beats the environment, and
// unknown keys pass silently. Here an unknown key or variable is an error with the nearest match.

#include <CLI/CLI.hpp>
#include <map>
#include <string>

#include "harness/base/error.h"

namespace tickmark::cli {

/// Options of the user that are not flags. Keys: `<verb>.<option>` or `<option>` for every verb that has it.
class Settings {
 public:
  /// Reads the file named by `explicit_file` (must exist), else ./tickmark.toml, else
  /// $XDG_CONFIG_HOME/tickmark/config.toml, where present; and the TICKMARK_* variables of `environment`.
  static Expected<Settings> load(const std::string& explicit_file, char** environment);

  /// Refuses keys that no verb of `app` has.
  Expected<void> check(const CLI::App& app) const;

  /// Fills the options of the parsed `verb` that no flag has set.
  Expected<void> apply(CLI::App& verb) const;

 private:
  struct Value {
    std::string text;
    std::string origin;  ///< as error sentences name it
  };
  Expected<void> read_file(const std::string& path);

  std::map<std::string, Value> file_;         ///< by key
  std::map<std::string, Value> environment_;  ///< by variable name
};

/// Levenshtein distance: how "did you mean" finds the nearest name.
size_t edit_distance(std::string_view a, std::string_view b);

}  // namespace tickmark::cli
