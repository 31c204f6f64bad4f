#include "harness/run/preparation.h"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <fstream>
#include <sstream>
#include <sys/resource.h>

#include "harness/output/bundle_reader.h"
#include "harness/process/subject_process.h"
#include "harness/run/calibrate.h"

namespace tickmark::run {
namespace {

void say(const RunRequest& request, std::string_view text) {
  if (request.progress) request.progress->say(text);
}

/// Of a value only the subject knows whether it is one: it is started once, and what it refuses is refused
/// before the first trial. Only asked where the user has set an option; every other fault shows in the
/// trials.
Expected<void> check_option_values(const process::ResolvedSubject& subject,
                                   const SubjectDescription& description) {
  constexpr int kUsageExit = 2;
  // Workloads that need no files and no parameters.
  for (const char* workload : {"sockets", "hello"}) {
    if (subject.options.empty() || !speaks(description.workloads, workload, "")) continue;
    process::ExitReport exit;
    auto started = process::SubjectProcess::start(subject.serve_command(workload, {}), {}, &exit);
    if (started) exit = started->stop();
    if (started || exit.code != kUsageExit) return {};
    std::string said = exit.stderr_tail.substr(0, exit.stderr_tail.find('\n'));
    if (said.empty()) said = "it says no more";
    return usage_error(fmt::format("subject '{}' refuses its options: {}", subject.id, said));
  }
  return {};
}

Expected<std::vector<process::ResolvedSubject>> resolve_all(process::Registry& registry,
                                                            std::vector<std::string> names) {
  if (names.empty()) {
    for (const SubjectManifest& manifest : registry.subjects()) names.push_back(manifest.name);
  }
  std::vector<process::ResolvedSubject> resolved;
  for (const std::string& text : names) {
    auto name = SubjectName::parse(text);
    if (!name) return std::unexpected(name.error());
    auto subject = registry.resolve(*name);
    if (!subject) return std::unexpected(subject.error());
    const auto same = [&](const process::ResolvedSubject& other) { return other.id == subject->id; };
    if (std::ranges::any_of(resolved, same)) {
      return usage_error(fmt::format("subject '{}' is given twice; give it once", subject->id));
    }
    const process::SubjectStatus status = registry.status(*subject);
    if (status.available()) {
      auto known = process::Registry::check_options(*subject, status.description);
      if (!known) return std::unexpected(known.error());
      if (auto good = check_option_values(*subject, status.description); !good)
        return std::unexpected(good.error());
    }
    resolved.push_back(std::move(*subject));
  }
  return resolved;
}

/// The suite's reference subject is calibrated even if it was not selected, so that a ladder of rates means
/// the same in every run on this machine.
Expected<Calibration> calibrate_for(process::Registry& registry, const RunRequest& request,
                                    const Suite& suite, const std::vector<PlannedSubject>& selected,
                                    ClientCache& clients, const CpuRoles& cpus,
                                    const std::function<bool()>& interrupted) {
  CalibrationSetup setup;
  setup.needs = calibration_needs(suite, registry.workloads());
  if (setup.needs.empty()) return Calibration{};
  setup.subjects = selected;
  if (std::ranges::find(selected, suite.reference_subject, &PlannedSubject::id) == selected.end()) {
    auto name = SubjectName::parse(suite.reference_subject);
    auto reference = name ? registry.resolve(*name) : std::unexpected(name.error());
    if (reference) setup.subjects.push_back(planned_subject(registry, *reference));
  }
  auto reference = choose_reference(suite, setup.subjects);
  if (!reference) return std::unexpected(reference.error());
  setup.reference = *reference;
  setup.resolve = [&](const std::string& id) -> Expected<process::ResolvedSubject> {
    auto name = SubjectName::parse(id);
    if (!name) return std::unexpected(name.error());
    return registry.resolve(*name);
  };
  setup.clients = &clients;
  setup.cpus = cpus;
  setup.seed = request.seed;
  setup.interrupted = interrupted;
  setup.on_start = [&](const CalibrationNeed& need, const std::string& subject) {
    say(request, fmt::format("Calibrating {} on {} (closed loop, twice)", need.key, subject));
  };
  auto calibration = calibrate(setup);
  if (calibration && calibration->subject != suite.reference_subject) {
    calibration->note =
        fmt::format("{} is not available, so rates follow {}{}{}", suite.reference_subject,
                    calibration->subject, calibration->note.empty() ? "" : "; ", calibration->note);
  }
  return calibration;
}

Expected<Plan> read_plan_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  if (in) text << in.rdbuf();
  if (!in) {
    return usage_error(
        fmt::format("cannot read plan {}; name the plan.json of a bundle with --plan", path.string()));
  }
  auto document = output::parse_document(std::move(text).str(), output::kPlanSchema, path.string());
  if (!document) return std::unexpected(document.error());
  return plan_from_json(*document);
}

/// A plan of another day may name subjects that are not here: their trials are recorded with the reason.
Expected<Prepared> prepare_replay(process::Registry& registry, const RunRequest& request) {
  auto plan = read_plan_file(*request.plan_file);
  if (!plan) return std::unexpected(plan.error());
  Prepared prepared;
  prepared.plan = std::move(*plan);
  for (const PlannedSubject& subject : prepared.plan.subjects) {
    auto name = SubjectName::parse(subject.id);
    if (!name) return std::unexpected(name.error());
    auto resolved = registry.resolve(*name);
    if (!resolved) return std::unexpected(resolved.error());
    if (registry.status(*resolved).available()) prepared.subjects.emplace(subject.id, std::move(*resolved));
  }
  prepared.nothing_to_do = prepared.subjects.empty();
  return prepared;
}

output::Json conformance_of(const RunRequest& request, const Suite& suite) {
  output::Json conformance = request.conformance;
  if (!conformance.is_object()) return conformance;
  if (!conformance.contains("repeat")) conformance["repeat"] = suite.conformance_repeat;
  if (!conformance.contains("selection")) conformance["selection"] = suite.conformance_rules;
  if (!conformance.contains("background_connections")) {
    conformance["background_connections"] = suite.conformance_background_connections;
  }
  return conformance;
}

}  // namespace

PlannedSubject planned_subject(process::Registry& registry, const process::ResolvedSubject& subject) {
  const process::SubjectStatus status = registry.status(subject);
  PlannedSubject planned;
  planned.id = subject.id;
  planned.name = subject.manifest.name;
  planned.title = subject.manifest.title;
  planned.says = subject.manifest.says;
  planned.colour = subject.manifest.colour;
  planned.caveat = subject.manifest.caveat;
  planned.available = status.available();
  planned.reason = status.reason;
  planned.install = status.install;
  planned.versions = status.description.versions;
  planned.options = status.description.options;
  for (const auto& [key, value] : subject.options) planned.options[key] = value;
  planned.workloads = status.description.workloads;
  return planned;
}

Expected<Prepared> prepare(process::Registry& registry, const RunRequest& request, ClientCache& clients,
                           const CpuRoles& cpus, const std::function<bool()>& interrupted, bool measure) {
  if (request.plan_file) return prepare_replay(registry, request);
  auto file = load_suite(request.suites_folder, request.suite);
  if (!file) return std::unexpected(file.error());
  auto suite = apply_overrides(*file, request.overrides, registry.workloads());
  if (!suite) return std::unexpected(suite.error());
  auto resolved = resolve_all(registry, request.subjects);
  if (!resolved) return std::unexpected(resolved.error());

  Prepared prepared;
  PlanInput input;
  for (process::ResolvedSubject& subject : *resolved) {
    input.subjects.push_back(planned_subject(registry, subject));
    if (input.subjects.back().available) prepared.subjects.emplace(subject.id, std::move(subject));
  }
  if (prepared.subjects.empty()) {
    prepared.plan.subjects = input.subjects;
    prepared.nothing_to_do = true;
    return prepared;
  }
  if (measure) {
    auto calibration = calibrate_for(registry, request, *suite, input.subjects, clients, cpus, interrupted);
    if (!calibration) return std::unexpected(calibration.error());
    input.calibration = std::move(*calibration);
    if (interrupted()) return prepared;
  }
  input.suite = std::move(*file);
  input.workloads = registry.workloads();
  input.overrides = request.overrides;
  input.seed = request.seed;
  input.rates_later = !measure;
  input.command = request.command;
  input.created_utc = output::utc_text(output::wall_clock());
  input.tool = request.tool;
  input.conformance = conformance_of(request, *suite);
  input.gate = request.gate;
  auto plan = make_plan(input);
  if (!plan) return std::unexpected(plan.error());
  prepared.plan = std::move(*plan);
  prepared.nothing_to_do = prepared.plan.schedule.empty();
  return prepared;
}

Expected<void> ensure_descriptors(const Plan& plan) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return {};
  if (limit.rlim_cur < limit.rlim_max) {
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
  }
  constexpr rlim_t kOthers = 256;  // pipes, epoll, files, logs of either process
  for (const PlannedCell& cell : plan.cells) {
    rlim_t needed = kOthers;
    for (const PlannedLane& lane : cell.lanes) needed += static_cast<rlim_t>(lane.connections);
    if (needed > limit.rlim_max) {
      return environment_error(
          fmt::format("cell {} needs {} file descriptors per process, but the hard limit is {}; raise it "
                      "(ulimit -Hn {}) or give "
                      "fewer --connections",
                      cell.id, needed, limit.rlim_max, needed));
    }
  }
  return {};
}

}  // namespace tickmark::run
