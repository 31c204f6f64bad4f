#include "harness/load/load.h"

#include <algorithm>
#include <fmt/core.h>
#include <unistd.h>

#include "harness/load/generator.h"
#include "harness/load/poller.h"
#include "harness/load/sources.h"
#include "harness/load/url_client.h"

namespace tickmark::load {
namespace {

Expected<int> check(const LoadConfig& config) {
  int connections = 0;
  if (config.lanes.empty()) return usage_error("a load needs at least one lane");
  for (const LaneConfig& lane : config.lanes) {
    if (lane.client == nullptr || (lane.client->http == nullptr) == (lane.client->stream == nullptr)) {
      return usage_error(fmt::format("lane '{}' has no client half: name a workload", lane.name));
    }
    if (lane.connections < 1) {
      return usage_error(fmt::format("lane '{}' asks for {} connections: at least 1 is needed", lane.name,
                                     lane.connections));
    }
    if (lane.arrivals != Arrivals::kClosed && !(lane.rate_per_s > 0 && lane.rate_per_s <= 1e8)) {
      return usage_error(
          fmt::format("lane '{}' asks for {} requests per second: an open loop needs a rate above 0 and "
                      "at most 1e8, or choose the closed loop",
                      lane.name, lane.rate_per_s));
    }
    if (lane.client->stream && lane.client->stream->message_bytes() < 8) {
      return usage_error(fmt::format("lane '{}': messages need at least 8 bytes", lane.name));
    }
    connections += lane.connections;
  }
  if (config.duration <= Nanos{0}) return usage_error("the measured window must be longer than 0");
  if (!(config.ramp_per_s > 0)) return usage_error("the ramp needs more than 0 connects per second");
  if (config.request_timeout <= Nanos{0}) return usage_error("the request time-out must be longer than 0");
  return connections;
}

/// A URL's right reply is not known beforehand: it is asked for once, before the load.
Expected<void> learn(const LoadConfig& config) {
  constexpr Nanos kPatience = 5s;
  for (const LaneConfig& lane : config.lanes) {
    auto* url = dynamic_cast<UrlClient*>(lane.client->http.get());
    if (url == nullptr || url->learnt()) continue;
    Expected<void> learnt =
        url->learn(config.address, config.port, std::min(config.ramp_deadline, kPatience));
    if (!learnt) return learnt;
  }
  return {};
}

/// Different in consecutive loads of one process and of different ones.
uint64_t next_rotation() {
  static uint64_t loads = 0;
  return static_cast<uint64_t>(::getpid()) + loads++;
}

}  // namespace

Expected<LoadReport> run_load(const LoadConfig& config, const LoadHooks& hooks) {
  Expected<int> connections = check(config);
  if (!connections) return std::unexpected(connections.error());
  if (Expected<void> enough = ensure_descriptors(*connections); !enough)
    return std::unexpected(enough.error());
  Expected<Sources> sources = Sources::make(config.address, config.port, *connections, next_rotation());
  if (!sources) return std::unexpected(sources.error());
  if (Expected<void> learnt = learn(config); !learnt) return std::unexpected(learnt.error());
  Expected<ThreadSetting> setting =
      ThreadSetting::make(config.cpu, config.realtime && config.spin == Spin::kNever);
  if (!setting) return std::unexpected(setting.error());
  Expected<Poller> poller = Poller::make(config.spin);
  if (!poller) return std::unexpected(poller.error());
  Generator generator(config, hooks, *poller, *sources);
  Expected<LoadReport> report = generator.run();
  if (report) report->client.realtime = setting->realtime();
  return report;
}

}  // namespace tickmark::load
