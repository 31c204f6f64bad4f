// load_truth: what the generator adds to a latency, per request, beside what waking a thread costs on this
// machine. Prints one JSON document; scripts/prove truth judges it.
#include <algorithm>
#include <cstdio>
#include <fmt/core.h>
#include <nlohmann/json.hpp>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <thread>
#include <unistd.h>

#include "harness/load/truth.h"

namespace tickmark::load {
namespace {

constexpr double kRate = 2000;
constexpr Nanos kMeanService = 50us;
constexpr Nanos kDuration = 4s;

void pin(int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<unsigned>(cpu), &set);
  pthread_setaffinity_np(pthread_self(), sizeof set, &set);
}

std::vector<int> allowed_cpus() {
  cpu_set_t set;
  std::vector<int> cpus;
  sched_getaffinity(0, sizeof set, &set);
  for (unsigned cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(cpu, &set)) cpus.push_back(static_cast<int>(cpu));
  }
  return cpus;
}

int64_t at_share(std::vector<int64_t> values, double q) {
  std::ranges::sort(values);
  return values[static_cast<std::size_t>(q * static_cast<double>(values.size() - 1))];
}

/// From the write to an eventfd on one core to the return of the poll() on the other: ns, one per wake-up.
std::vector<int64_t> wake_up_times(int from, int to) {
  constexpr int kWakes = 2000;
  const UniqueFd event(
      ::eventfd(0, EFD_CLOEXEC | EFD_SEMAPHORE));  // a late wake-up must not swallow the next
  std::vector<Nanos> written(kWakes), woken(kWakes);
  std::thread sleeper([&] {
    pin(to);
    for (Nanos& at : woken) {
      pollfd watched{event.get(), POLLIN, 0};
      ::poll(&watched, 1, -1);
      at = now();
      eventfd_t value;
      ::eventfd_read(event.get(), &value);
    }
  });
  std::thread waker([&] {
    pin(from);
    for (Nanos& at : written) {
      for (const Nanos until = now() + 500us; now() < until;) {
      }
      at = now();
      ::eventfd_write(event.get(), 1);
    }
  });
  waker.join();
  sleeper.join();
  std::vector<int64_t> times;
  for (int i = 0; i < kWakes; ++i) times.push_back((woken[i] - written[i]).count());
  return times;
}

/// The share of requests whose service began within `slack` of when the Lindley recursion over the sends and
/// the service times has it.
double share_as_lindley(const TruthfulEcho& server, std::vector<RequestRecord> records, Nanos slack) {
  std::ranges::sort(records, {}, [&](const RequestRecord& r) { return server.times_of(r.number).begun; });
  Nanos free_at{0};
  std::size_t close = 0;
  for (const RequestRecord& record : records) {
    const TrueTimes truth = server.times_of(record.number);
    const Nanos begins = std::max(record.sent, free_at);
    free_at = begins + (truth.ended - truth.begun);
    close += std::abs((truth.begun - begins).count()) <= slack.count();
  }
  return static_cast<double>(close) / static_cast<double>(records.size());
}

Expected<nlohmann::json> residuals(const std::vector<int>& cpus, Spin spin, Nanos slack) {
  pin(cpus.front());  // inherited by the server's thread
  const TruthfulEcho server(kMeanService);
  pin(cpus.back());
  const auto records = load_truthful(server, kRate, kDuration, cpus.back(), spin);
  if (!records) return std::unexpected(records.error());
  std::vector<int64_t> values;
  for (const RequestRecord& record : *records)
    values.push_back((record.seen - server.times_of(record.number).ended).count());
  return nlohmann::json{{"requests", values.size()},
                        {"residual_ns_min", std::ranges::min(values)},
                        {"residual_ns_p50", at_share(values, 0.5)},
                        {"residual_ns_p99", at_share(values, 0.99)},
                        {"share_as_lindley", share_as_lindley(server, *records, slack)}};
}

int run() {
  const std::vector<int> cpus = allowed_cpus();
  if (cpus.size() < 2) {
    fmt::print(stderr, "load_truth: needs two cores, one for the server; this process may use one\n");
    return 3;
  }
  nlohmann::json report;
  const auto wakes = wake_up_times(cpus.front(), cpus.back());
  report["wake_ns_p50"] = at_share(wakes, 0.5);
  report["wake_ns_p99"] = at_share(wakes, 0.99);
  const std::pair<const char*, Spin> modes[] = {
      {"blocking", Spin::kNever}, {"before_deadlines", Spin::kBeforeDeadlines}, {"spinning", Spin::kAlways}};
  for (const auto& [name, spin] : modes) {
    // The server, too, has to be woken.
    auto found = residuals(cpus, spin, Nanos{report["wake_ns_p99"].get<int64_t>()} + 100us);
    if (!found) {
      fmt::print(stderr, "load_truth: {}\n", found.error().message);
      return 3;
    }
    report[name] = std::move(*found);
  }
  fmt::print("{}\n", report.dump(2));
  return 0;
}

}  // namespace
}  // namespace tickmark::load

int main() { return tickmark::load::run(); }
