#pragma once
// What a request takes of a subject, counted and not timed: instructions in user space under valgrind's
// callgrind, system calls under strace. Requests go in lock-step over one connection, so that nothing depends
// on how fast anybody is; each is sent when all threads of the subject sleep.
//
// A count is two runs of fresh processes, a short one and one with so many requests more; their difference is
// what those requests took, and start and end cancel. All processes and threads of the subject count.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "harness/base/error.h"
#include "harness/process/registry.h"
#include "harness/vocabulary/client.h"

namespace tickmark::run {

enum class CountedMetric { kInstructions, kSystemCalls };
inline constexpr CountedMetric kCountedMetrics[] = {CountedMetric::kInstructions,
                                                    CountedMetric::kSystemCalls};

/// What differs from run to run is the end: which thread saw first that it came. That was seen to be some
/// 1,000 instructions of the reference loop, so 0.02 % of this many requests; with the fewest allowed it may
/// look like a disagreement.
inline constexpr uint64_t kCountedRequests = 10'000, kCountedRequestsMin = 1000;

struct CountSetup {
  const process::ResolvedSubject* subject = nullptr;
  std::string workload;
  const Client* client = nullptr;        ///< its first variant, default parameters
  uint64_t requests = kCountedRequests;  ///< by which the runs differ; at least kCountedRequestsMin
  std::filesystem::path scratch;         ///< an empty folder for the tool's files; emptied again
  std::filesystem::path evidence;     ///< the longer run's file is kept here, with an ending; empty: nowhere
  std::function<bool()> interrupted;  ///< polled; may be empty
};

/// One count, per request. kSubject: the subject does not start, answers wrongly, hangs or crashes, under the
/// tool and also by itself; kEnvironment: it does so only under the tool, or the tool gave nothing that can
/// be read, or it was interrupted.
Expected<double> count_per_request(const CountSetup& setup, CountedMetric metric);

/// The tools are here and can count; each with its version ("valgrind 3.19.0"). kEnvironment: the sentence
/// why not, with the command that installs it.
Expected<std::vector<std::string>> check_counters(const std::filesystem::path& scratch);

/// Whether all of the subject's program is ours, "" or the sentence why it cannot be counted: of a program
/// with a just-in-time compiler, or of somebody else's, no two runs execute the same instructions.
std::string why_not_countable(const process::ResolvedSubject& subject);

}  // namespace tickmark::run
