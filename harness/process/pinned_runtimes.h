#pragma once
// Runtimes that scripts/fetch-runtimes can put beside the system's own: scripts/runtimes.lock pins them, and
// what has been fetched lies in runtimes/<family>-<major>/.

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/error.h"

namespace tickmark::process {

struct PinnedRuntime {
  std::string family;             ///< "node"
  std::string major;              ///< "24": what stands behind the @
  std::filesystem::path program;  ///< where it is once it has been fetched

  bool is_here() const;
  /// The command that fetches it.
  std::string fetch_command() const;
};

/// Those for this machine, in the order of the lock; none where there is no lock. kEnvironment, with file and
/// line, if one is broken.
Expected<std::vector<PinnedRuntime>> load_pinned_runtimes(const std::filesystem::path& root);

/// As above, of the text of a lock and for the machine `uname -m` names.
Expected<std::vector<PinnedRuntime>> parse_pinned_runtimes(std::string_view text, std::string_view machine,
                                                           const std::filesystem::path& root);

}  // namespace tickmark::process
