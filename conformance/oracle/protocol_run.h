#pragma once
// The records between `start` and `finish` of one run, against its scenario. Part of protocol_check.h.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "conformance/oracle/protocol_cases.h"

namespace tickmark::conformance {

class RunCheck {
 public:
  explicit RunCheck(const ProtocolCase& one);

  /// Checks the next record, which has all its keys; complaints are sentences.
  std::vector<std::string> take(const nlohmann::json& record);
  /// What is missing at the end of the run.
  std::vector<std::string> finish();

 private:
  /// A callback of the scenario.
  struct Callback {
    std::string verb{};
    std::map<unsigned, std::vector<nlohmann::json>> steps{};  ///< by the number of its run
    long ms = -1;
    std::string site{};  ///< where it was scheduled; set by its record
    bool scheduled = false;
    bool is_eof = false;  ///< of a `read`, which schedules it without a record of its own
    unsigned runs = 0;
    long bytes = 0;
  };

  void learn(const nlohmann::json& steps);
  void schedule(const nlohmann::json& record);
  void begin(const nlohmann::json& record);
  void end(const nlohmann::json& record);
  void in_time(const nlohmann::json& record);
  void expect_steps(const std::string& label, unsigned run);
  void check_sums();
  void complain(std::string sentence) { complaints_.push_back(std::move(sentence)); }

  const ProtocolCase& case_;
  std::map<std::string, Callback> callbacks_;
  std::map<std::string, std::string> calls_;     ///< labelled verbs without a callback: label -> verb
  std::map<std::string, std::string> statuses_;  ///< seen
  std::vector<std::string> open_;                ///< callbacks that have begun
  std::vector<std::string> due_;                 ///< labels the open callback still has to schedule, in order
  int64_t time_ns_ = 0;
  bool quiescent_ = false;
  std::vector<std::string> complaints_;
};

}  // namespace tickmark::conformance
