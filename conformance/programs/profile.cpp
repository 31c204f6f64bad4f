#include "conformance/programs/profile.h"

#include <cstdio>
#include <cstdlib>

namespace tickmark::programs {
namespace {

bool is_before(const std::string& version, int major, int minor) {
  int seen_major = 0;
  int seen_minor = 0;
  if (std::sscanf(version.c_str(), "%d.%d", &seen_major, &seen_minor) < 2) return false;
  return seen_major < major || (seen_major == major && seen_minor < minor);
}

}  // namespace

Profile profile_of(const std::map<std::string, std::string>& versions) {
  Profile profile;
  const auto node = versions.find("node");
  if (node == versions.end()) return profile;
  if (const auto uv = versions.find("uv"); uv != versions.end())
    profile.phase_has_one_pass = !is_before(uv->second, 1, 48);
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
