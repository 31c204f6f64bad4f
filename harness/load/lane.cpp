#include "harness/load/lane.h"

#include <algorithm>
#include <cassert>
#include <fmt/core.h>

namespace tickmark::load {
namespace {

LaneCore::Setup core_setup(const LaneConfig& config, const LoadConfig& load, uint32_t index,
                           Discipline discipline) {
  return {.connections = config.connections,
          .discipline = discipline,
          .arrivals = config.arrivals,
          .rate_per_s = config.rate_per_s,
          .request_timeout = load.request_timeout,
          .seed = load.seed + index * 0x9E3779B97F4A7C15ULL,
          .records = load.records};
}

}  // namespace

Lane::Lane(const LaneConfig& config, const LoadConfig& load, uint32_t index, Poller& poller, Sources& sources,
           Buffers& buffers)
    : core_(core_setup(config, load, index,
                       config.client->http ? Discipline::kOneAtATime : Discipline::kPipelined)),
      protocol_(make_protocol(*config.client, config.connections)),
      links_(static_cast<size_t>(config.connections)),
      poller_(poller),
      sources_(sources),
      buffers_(buffers),
      name_(config.name),
      port_(config.port),
      key_(static_cast<uint64_t>(index) << 32),
      closed_loop_(config.arrivals == Arrivals::kClosed) {
  if (config.client->stream) {
    buffers_.send.resize(std::max(buffers_.send.size(), config.client->stream->message_bytes()));
  }
}

void Lane::start_warmup(Nanos start, Nanos end) {
  ramping_ = false;
  core_.start_warmup(start, end);
}

void Lane::start_window(Nanos start, Nanos end) {
  ramping_ = false;
  core_.start_window(start, end);
  integrator_.emplace(stats::Window{start, end});
  integrator_->add(start, in_flight_);
}

void Lane::kick(uint32_t i, Nanos at) {
  if (!follow_up_ || !core_.idle(i)) return;
  core_.arrive_at(i, at);
  pump(i);
}

void Lane::issue_due(Nanos at, int limit) {
  while (core_.next_due() <= at && limit-- > 0) {
    uint32_t first = core_.arrive();
    // Messages of one connection due in a row leave together.
    while (core_.next_due() <= at && core_.next_connection() == first) core_.arrive();
    pump(first);
  }
}

void Lane::maintain() {
  for (Nanos at = now(); core_.next_timeout() <= at; at = now()) {
    uint32_t i = 0;
    if (!core_.expire_oldest(at, i)) continue;
    in_flight(at, -1);
    // A stream still awaits the late reply, so that the following ones can be matched; an HTTP connection
    // whose reply is given up is of no more use.
    if (protocol_->discipline() == Discipline::kOneAtATime) drop(i, false);
  }
  while (!retries_.empty() && retries_.front().at <= now()) {
    uint32_t i = retries_.front().link;
    retries_.pop_front();
    ++reconnects_;
    connect(i, now());
  }
}

Nanos Lane::next_action() const {
  Nanos next = std::min(core_.next_due(), core_.next_timeout());
  return retries_.empty() ? next : std::min(next, retries_.front().at);
}

void Lane::note_wrong(std::string text) {
  if (wrong_reply_.empty()) wrong_reply_ = std::move(text);
}

LaneReport Lane::report() {
  LaneReport out = core_.report();
  out.name = name_;
  out.connections_established = static_cast<int>(established_);
  out.connections_lost = lost_;
  out.reconnects = reconnects_;
  out.connect_time = connect_time_;
  out.bytes_sent = bytes_sent_;
  out.bytes_received = bytes_received_;
  if (heads_ > 0) {
    out.header_bytes_per_reply = static_cast<double>(head_bytes_) / static_cast<double>(heads_);
    out.bytes_per_reply = static_cast<double>(head_bytes_ + body_bytes_) / static_cast<double>(heads_);
  }
  out.wrong_replies += unasked_;
  out.wrong_reply = wrong_reply_;
  if (integrator_) {
    stats::LittleCheck check = stats::check_little(*integrator_, core_.ledger());
    out.little_error = check.counts_agree ? check.relative_error : 1.0;
  }
  return out;
}

}  // namespace tickmark::load
