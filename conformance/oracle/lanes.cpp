#include "conformance/oracle/lanes.h"

#include <algorithm>
#include <mutex>
#include <optional>
#include <thread>

namespace tickmark::conformance {

Expected<void> run_in_lanes(unsigned lanes,
                            const std::vector<std::function<Expected<void>(unsigned lane)>>& tasks) {
  std::mutex mutex;
  size_t next = 0;
  std::optional<Error> error;
  const auto take = [&]() -> const std::function<Expected<void>(unsigned)>* {
    const std::lock_guard lock(mutex);
    return error || next == tasks.size() ? nullptr : &tasks[next++];
  };
  const auto drive = [&](unsigned lane) {
    while (const auto* task = take()) {
      const auto done = (*task)(lane);
      const std::lock_guard lock(mutex);
      if (!done && !error) error = done.error();
    }
  };
  {
    std::vector<std::jthread> others;
    const auto useful = static_cast<unsigned>(std::min<size_t>(lanes, tasks.size()));
    for (unsigned lane = 1; lane < useful; ++lane) others.emplace_back(drive, lane);
    drive(0);
  }
  if (error) return std::unexpected(*error);
  return {};
}

}  // namespace tickmark::conformance
