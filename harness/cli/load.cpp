// tickmark load: the load generator alone, on any server.

#include "harness/load/load.h"

#include <arpa/inet.h>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <fmt/format.h>
#include <netdb.h>
#include <nlohmann/json.hpp>

#include "harness/cli/find_max.h"
#include "harness/cli/load_report.h"
#include "harness/cli/pairs.h"
#include "harness/cli/target.h"
#include "harness/cli/units.h"
#include "harness/cli/verb.h"
#include "harness/load/url_client.h"
#include "harness/output/bundle_writer.h"
#include "harness/stats/hdr_log.h"
#include "harness/vocabulary/workload.h"

namespace tickmark::cli {
namespace {

struct LoadFlags {
  std::string url;
  std::string rate;
  std::string arrivals = "poisson";
  std::string duration = "10s";
  std::string warmup = "500ms";
  std::string timeout = "5s";
  std::string workload;
  std::string variant;
  std::string hlog;
  std::string find_max;
  std::vector<std::string> params;
  int connections = 50;
  int cpu = -1;
  uint64_t seed = 1;
  bool closed = false;
  bool storm = false;
  bool spin = false, spin_always = false;
};

// From which --find-max goes up or down, where no --rate says better.
constexpr const char* kFirstRate = "1000";

std::atomic<bool> signaled = false;

Expected<Client> make_client(const LoadFlags& options, const Target& target) {
  if (options.workload.empty()) {
    if (target.scheme == "tcp") {
      return usage_error(
          fmt::format("'{}' is a plain TCP target; say what it speaks with --workload, as --workload sockets",
                      target.url));
    }
    return load::make_url_client(target.host_header(), target.path);
  }
  auto params = parse_pairs("--param", options.params);
  if (!params) return std::unexpected(params.error());
  for (const ClientEntry& entry : client_entries()) {
    if (entry.id != options.workload) continue;
    ClientSetup setup{
        .params = *params, .variant = options.variant, .host = target.host_header(), .folder = "."};
    setup.seed = options.seed;
    return entry.make(setup);
  }
  std::string names;
  for (const ClientEntry& entry : client_entries())
    names += fmt::format("{}{}", names.empty() ? "" : ", ", entry.id);
  return usage_error(fmt::format("workload '{}' is unknown; expected one of {}", options.workload, names));
}

Expected<load::LoadConfig> make_config(const LoadFlags& options, const Target& target, const Client& client) {
  load::LoadConfig config;
  config.address = target.address;
  config.port = target.port;
  load::LaneConfig lane{.client = &client, .connections = options.connections};
  if (options.closed && !options.rate.empty()) {
    return usage_error("--closed and --rate exclude each other: a closed loop has no rate; drop one of them");
  }
  if (!options.find_max.empty() && (options.closed || options.storm || !options.hlog.empty())) {
    return usage_error("--find-max runs many loads of the open loop; drop --closed, --storm and --hlog");
  }
  if (!options.closed && options.rate.empty() && options.find_max.empty()) {
    return usage_error("no --rate given; say how many requests per second to offer, or ask for --closed");
  }
  if (options.closed) {
    lane.arrivals = load::Arrivals::kClosed;
  } else {
    auto rate = parse_rate("--rate", options.rate.empty() ? kFirstRate : options.rate);
    if (!rate) return std::unexpected(rate.error());
    lane.rate_per_s = *rate;
    lane.arrivals = options.arrivals == "constant" ? load::Arrivals::kConstant : load::Arrivals::kPoisson;
  }
  const std::tuple<const char*, const std::string*, Nanos*> durations[] = {
      {"--duration", &options.duration, &config.duration},
      {"--warmup", &options.warmup, &config.warmup},
      {"--timeout", &options.timeout, &config.request_timeout}};
  for (const auto& [name, text, out] : durations) {
    auto parsed = parse_duration(name, *text);
    if (!parsed) return std::unexpected(parsed.error());
    *out = *parsed;
  }
  config.drain = config.request_timeout;
  config.scenario = options.storm ? load::Scenario::kStorm : load::Scenario::kOrderly;
  config.seed = options.seed;
  config.cpu = options.cpu;
  if (options.spin) config.spin = load::Spin::kBeforeDeadlines;
  if (options.spin_always) config.spin = load::Spin::kAlways;
  config.lanes.push_back(lane);
  return config;
}

/// Both times of every lane as an HdrHistogram log.
Expected<void> write_hlog(const std::string& path, const load::LoadReport& report) {
  std::string log = stats::hdr_log_header("tickmark load", output::wall_clock());
  for (const load::LaneReport& lane : report.lanes) {
    log += stats::hdr_log_line(lane.name + ".response", Nanos{0}, report.window, lane.response_time);
    log += stats::hdr_log_line(lane.name + ".service", Nanos{0}, report.window, lane.service_time);
  }
  return output::write_atomically(path, log);
}

Expected<int> find_max(const LoadFlags& options, const load::LoadConfig& config, const load::LoadHooks& hooks,
                       bool json) {
  const auto objective = parse_objective(options.find_max);
  if (!objective) return std::unexpected(objective.error());
  const load::KneePlan plan{.start_per_s = config.lanes.front().rate_per_s, .seed = options.seed};
  const auto knee = load::find_knee(plan, [&](double rate, uint64_t seed) {
    fmt::print(stderr, "a load of {} at {:.0f}/s\n", options.duration, rate);
    return probe_rate(config, hooks, *objective, rate, seed);
  });
  if (!knee) return std::unexpected(knee.error());
  fmt::print("{}", json ? knee_json(*knee, options.find_max) + "\n" : print_knee(*knee, options.find_max));
  return knee->open_end.empty() ? kOk : kInconclusive;
}

Expected<int> run_verb(const LoadFlags& options, bool json) {
  auto target = Target::parse(options.url);
  if (!target) return std::unexpected(target.error());
  auto client = make_client(options, *target);
  if (!client) return std::unexpected(client.error());
  auto config = make_config(options, *target, *client);
  if (!config) return std::unexpected(config.error());
  if ((client->stream != nullptr) != (target->scheme == "tcp")) {
    return usage_error(fmt::format("workload '{}' does not speak {}://; use {}://{}:{}", options.workload,
                                   target->scheme, client->stream ? "tcp" : "http", target->host,
                                   target->port));
  }
  const auto stop = [](int) { signaled = true; };
  std::signal(SIGINT, stop);
  std::signal(SIGTERM, stop);
  load::LoadHooks hooks;
  hooks.interrupted = [] { return signaled.load(); };
  const bool live = isatty(STDERR_FILENO) != 0;
  const double total_s = seconds(config->duration);
  hooks.progress = [live, total_s](Nanos elapsed, uint64_t completed) {
    if (live)
      fmt::print(stderr, "\r{:.1f} of {:.1f} s, {} completed ", seconds(elapsed), total_s,
                 print_count(completed));
  };
  if (!options.find_max.empty()) return find_max(options, *config, hooks, json);
  auto report = load::run_load(*config, hooks);
  if (live) fmt::print(stderr, "\r{:60}\r", "");
  if (!report) return std::unexpected(report.error());
  if (!options.hlog.empty()) {
    if (auto written = write_hlog(options.hlog, *report); !written) return std::unexpected(written.error());
  }
  const LoadSummary summary = summarise(*config, *report);
  if (json) {
    fmt::print("{}\n", summary.json);
  } else {
    fmt::print("{}", summary.text);
  }
  if (report->interrupted) return 130;
  return summary.valid ? kOk : kEnvironment;
}

}  // namespace

void add_load(CLI::App& app, Invocation& invocation) {
  auto options = std::make_shared<LoadFlags>();
  CLI::App* verb = add_verb(app, invocation, "load", "the load generator on any server",
                            [options, &invocation] { return run_verb(*options, invocation.json); });
  verb->add_option("url", options->url, "http://host:port/path or tcp://host:port")->required();
  verb->add_option("--rate", options->rate, "requests per second offered, as 1000 or 50k (open loop)");
  verb->add_option("--find-max", options->find_max,
                   "search the highest rate that keeps this objective, as 'p99<10ms'; --rate is the first");
  verb->add_option("--arrivals", options->arrivals, "poisson or constant")
      ->check(CLI::IsMember({"poisson", "constant"}))
      ->capture_default_str();
  verb->add_flag("--closed", options->closed, "closed loop: each connection sends when it was answered");
  verb->add_option("--connections", options->connections, "open connections")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  verb->add_option("--duration", options->duration, "length of the measured window")->capture_default_str();
  verb->add_option("--warmup", options->warmup, "load before the window, not recorded")
      ->capture_default_str();
  verb->add_option("--timeout", options->timeout, "after which a request counts as timed out")
      ->capture_default_str();
  verb->add_option("--workload", options->workload,
                   "what to ask (tickmark list workloads); default: GET of the URL");
  verb->add_option("--variant", options->variant, "flavour of the workload");
  verb->add_option("--param", options->params, "parameter of the workload, name=value");
  verb->add_option("--hlog", options->hlog, "write the histograms to this file (HdrHistogram log)");
  verb->add_option("--seed", options->seed, "of arrivals")->capture_default_str();
  verb->add_option("--cpu", options->cpu, "pin the generator to this core");
  verb->add_flag("--storm", options->storm, "all connections connect and speak at once");
  auto* spin = verb->add_flag("--spin", options->spin, "spin before each deadline (own core only)");
  verb->add_flag("--spin-always", options->spin_always,
                 "never sleep (own core only): replies are seen at once, and the server has nobody to wake")
      ->excludes(spin);
}

}  // namespace tickmark::cli
