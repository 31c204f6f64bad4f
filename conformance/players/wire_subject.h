#pragma once
// The server under test: `<subject> serve` as a child of the player, for as long as the player plays.

#include <cstdint>
#include <memory>
#include <string>
#include <sys/types.h>
#include <vector>

#include "harness/base/error.h"
#include "harness/base/time.h"
#include "harness/base/unique_fd.h"

namespace tickmark::conformance::wire {

class Subject {
 public:
  /// Starts it and waits for its ready line. Errors (kSubject) say what it did instead.
  static Expected<std::unique_ptr<Subject>> start(const std::vector<std::string>& command,
                                                  const std::string& workload,
                                                  const std::vector<std::string>& options);
  /// Its stdin ends, as the contract wants; then, after a while, by force.
  ~Subject();
  Subject(const Subject&) = delete;
  Subject& operator=(const Subject&) = delete;

  uint16_t port() const { return port_; }
  /// How long it has been ready to run while others did, in total, with the processes it started.
  Nanos kept_waiting() const;
  /// One sentence, if it has ended by itself; "" while it runs.
  std::string why_ended();

 private:
  Subject(pid_t pid, UniqueFd in, UniqueFd out) : pid_(pid), in_(std::move(in)), out_(std::move(out)) {}
  Expected<void> wait_until_ready();

  pid_t pid_;
  UniqueFd in_;
  UniqueFd out_;  // kept open: nobody writes into a broken pipe
  uint16_t port_ = 0;
};

}  // namespace tickmark::conformance::wire
