#pragma once
// The generator against a server that tells the truth (METHOD.md, T2): both stamp every request with the same
// clock, so that what the generator adds to a latency is known for each request, whatever the machine does.
//
//   latency = seen - intended = (sent - intended) + (received - sent) + waiting + service + residual
//   residual = seen - end of service: the way back and the generator's own wake-up.

#include <cstdint>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "harness/base/random.h"
#include "harness/load/load.h"
#include "harness/load/test_clients.h"
#include "harness/load/truth_server.h"

namespace tickmark::load {

/// What the server says of one request.
struct TrueTimes {
  Nanos received{0}, begun{0}, ended{0};
};

/// Burns a service time per message, drawn from the message's number, and echoes it. One thread.
class TruthfulEcho {
 public:
  explicit TruthfulEcho(Nanos mean_service)
      : mean_(mean_service),
        server_([this](int connection, std::string_view bytes) { return serve(connection, bytes); }) {}

  static constexpr std::size_t kMessageBytes = 64;
  uint16_t port() const { return server_.port(); }
  Nanos service_of(uint64_t number) const {
    return Nanos{static_cast<int64_t>(SplitMix64(number).exponential() * static_cast<double>(mean_.count()))};
  }
  /// After the load.
  TrueTimes times_of(uint64_t number) const {
    const std::lock_guard lock(mutex_);
    return times_.at(number);
  }

 private:
  TruthServer::Reply serve(int connection, std::string_view bytes) {
    const Nanos received = now();
    std::string& pending = pending_[connection];
    pending += bytes;
    TruthServer::Reply reply;
    while (pending.size() >= kMessageBytes) {
      uint64_t number = 0;
      std::memcpy(&number, pending.data(), sizeof number);
      const Nanos begun = now();
      while (now() < begun + service_of(number)) {
      }
      reply.bytes += pending.substr(0, kMessageBytes);
      pending.erase(0, kMessageBytes);
      const std::lock_guard lock(mutex_);
      times_[number] = {received, begun, now()};
    }
    return reply;
  }

  Nanos mean_;
  std::unordered_map<int, std::string> pending_;
  mutable std::mutex mutex_;
  std::unordered_map<uint64_t, TrueTimes> times_;
  TruthServer server_;  // last: its thread uses the rest
};

/// One load of `duration` at `rate_per_s`; its requests.
inline Expected<std::vector<RequestRecord>> load_truthful(const TruthfulEcho& server, double rate_per_s,
                                                          Nanos duration, int cpu, Spin spin) {
  const Client client = echo_client(TruthfulEcho::kMessageBytes);
  std::vector<RequestRecord> records;
  records.reserve(static_cast<std::size_t>(rate_per_s * seconds(duration) * 1.5) + 1000);
  LoadConfig config;
  config.port = server.port();
  config.lanes = {{.name = "main", .client = &client, .connections = 64, .rate_per_s = rate_per_s}};
  config.warmup = 100ms;
  config.duration = duration;
  config.cpu = cpu;
  config.spin = spin;
  config.records = &records;
  const auto report = run_load(config);
  if (!report) return std::unexpected(report.error());
  if (!report->failure.empty()) return environment_error(report->failure);
  return records;
}

}  // namespace tickmark::load
