#include "conformance/programs/profile.h"

#include <cstdlib>

namespace tickmark::programs {

Profile profile_of(const std::map<std::string, std::string>& versions) {
  Profile profile;
  const auto node = versions.find("node");
  if (node == versions.end()) return profile;
  const int major = std::atoi(node->second.c_str());
  const bool is_node = !versions.contains("deno") && !versions.contains("bun");
  profile.drains_between = profile.pass_reads_clock_once = profile.unref_keeps_place = major >= 11;
  profile.await_jobs = major >= 12 ? 1 : 3;
  profile.knows_errors = is_node && major >= 12;
  profile.leftovers_before_immediates = major < 26;
  // Message ports are behind a flag before, and elsewhere no handles of libuv's; there programs begin in an
  // immediate.
  profile.can_close = profile.begins_before_timers = is_node && major >= 12;
  return profile;
}

}  // namespace tickmark::programs
