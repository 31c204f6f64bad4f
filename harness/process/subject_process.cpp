#include "harness/process/subject_process.h"

#include <algorithm>
#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include "harness/process/guarded.h"
#include "harness/process/process_tree.h"

namespace tickmark::process {
namespace {

Expected<Ready> parse_ready(const std::string& line) {
  const auto bad = [&](std::string_view what) {
    return subject_error(
        fmt::format("printed '{}' where {{\"ready\":{{\"address\",\"port\",\"pid\",...}}}} was expected ({})",
                    line.substr(0, 200), what));
  };
  const auto document = nlohmann::json::parse(line, nullptr, false);
  if (!document.is_object() || !document.contains("ready") || !document["ready"].is_object()) {
    return bad("not a ready line");
  }
  const nlohmann::json& fields = document["ready"];
  const auto integer = [&](const char* key, int64_t low, int64_t high) -> std::optional<int64_t> {
    if (!fields.contains(key) || !fields[key].is_number_integer()) return std::nullopt;
    const int64_t value = fields[key].get<int64_t>();
    return value >= low && value <= high ? std::optional(value) : std::nullopt;
  };
  Ready ready;
  if (!fields.contains("address") || !fields["address"].is_string()) return bad("'address' must be a string");
  const auto port = integer("port", 1, 65535), pid = integer("pid", 1, INT32_MAX);
  if (!port) return bad("'port' must be 1..65535");
  if (!pid) return bad("'pid' must be the process id that is accounted");
  ready.address = fields["address"].get<std::string>();
  ready.port = static_cast<uint16_t>(*port);
  ready.pid = static_cast<pid_t>(*pid);
  ready.workers = static_cast<int>(integer("workers", 1, 1'000'000).value_or(1));
  ready.document = fields;
  return ready;
}

/// Signals every process of the guard's tree except the guard until a look finds nobody new; returns how
/// many there were. A process may fork between two looks, hence the repetition.
int signal_tree(pid_t guard, int number) {
  const bool stopping = number == SIGSTOP;
  int count = 0;
  for (int pass = 0; pass < 500; ++pass) {
    bool settled = true, waiting = false;
    count = 0;
    for (const ProcessStat& process : read_process_tree(guard)) {
      if (process.pid == guard || process.state == 'Z') continue;
      ++count;
      if ((process.state == 'T') == stopping) continue;
      // An uninterruptible one stops as it wakes; the parent of a vfork whose child we have stopped never
      // does, and runs no instruction either.
      if (process.state == 'D') {
        waiting = true;
      } else {
        settled = false;
      }
      ::kill(process.pid, number);
    }
    if (settled && (!waiting || pass > 20)) break;
    if (pass > 0) ::usleep(200);
  }
  return count;
}

}  // namespace

struct SubjectProcess::Impl {
  std::string name;
  std::unique_ptr<Guarded> guarded;
  Ready ready;
  bool asked = false;  ///< to stop
  bool hung = false;   ///< a deadline passed
  std::optional<TreeUsage> usage_when_hung;
  std::optional<ExitReport> report;

  /// Ends the tree by force and says how it had ended until then.
  ExitReport finish() {
    const bool by_itself = !guarded->alive();
    guarded->end();
    ExitReport result = report_of(guarded->observed());
    result.hung = hung;
    result.usage_when_hung = usage_when_hung;
    const bool on_its_signal = result.signal != 0 && !(asked && result.signal == SIGTERM);
    result.crashed = by_itself && (!asked || on_its_signal);
    report = result;
    return result;
  }

  std::unexpected<Error> fault(std::string_view what, ExitReport* out) {
    const ExitReport result = finish();
    if (out != nullptr) *out = result;
    return subject_error(fmt::format("subject '{}' {}{}", name, what, stderr_clause(result.stderr_tail)));
  }
};

SubjectProcess::SubjectProcess(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
SubjectProcess::SubjectProcess(SubjectProcess&&) noexcept = default;
SubjectProcess& SubjectProcess::operator=(SubjectProcess&&) noexcept = default;
SubjectProcess::~SubjectProcess() = default;  // Guarded ends the tree

Expected<SubjectProcess> SubjectProcess::start(const Command& command, const StartOptions& options,
                                               ExitReport* fault) {
  GuardedOptions guarded_options;
  guarded_options.cpus = options.cpus;
  guarded_options.environment = options.environment;
  guarded_options.directory = options.directory;
  const Nanos deadline = now() + options.ready_deadline;
  auto guarded = Guarded::start(command, std::move(guarded_options));
  if (!guarded) return std::unexpected(guarded.error());
  auto impl = std::make_unique<Impl>();
  impl->name = command_text(command);
  impl->guarded = std::move(*guarded);
  impl->guarded->wait(deadline, [](const Observed& seen) { return seen.first_line || seen.gone; });
  const Observed seen = impl->guarded->observed();
  if (!seen.first_line) {
    if (seen.gone) {
      return impl->fault(
          fmt::format("ended before its ready line ({})", describe_end(seen.code, seen.signal)), fault);
    }
    impl->hung = true;
    return impl->fault(fmt::format("printed no ready line within {:.1f} s", seconds(options.ready_deadline)),
                       fault);
  }
  auto ready = parse_ready(*seen.first_line);
  if (!ready) return impl->fault(ready.error().message, fault);
  impl->ready = std::move(*ready);
  const auto tree = process_tree(impl->guarded->guard_pid());
  if (std::ranges::find(tree, impl->ready.pid) == tree.end() && impl->guarded->alive()) {
    return impl->fault(
        fmt::format("says its pid is {}, which is no process of its tree; print the pid to be accounted",
                    impl->ready.pid),
        fault);
  }
  return SubjectProcess(std::move(impl));
}

const Ready& SubjectProcess::ready() const { return impl_->ready; }
pid_t SubjectProcess::guard_pid() const { return impl_->guarded->guard_pid(); }
TreeUsage SubjectProcess::usage(UsageDetail detail) const { return sample_tree(impl_->ready.pid, detail); }
bool SubjectProcess::alive() const { return !impl_->report && impl_->guarded->alive(); }
std::string SubjectProcess::stderr_tail() const { return impl_->guarded->observed().err_tail; }

int SubjectProcess::freeze() { return alive() ? signal_tree(guard_pid(), SIGSTOP) : 0; }
int SubjectProcess::thaw() { return alive() ? signal_tree(guard_pid(), SIGCONT) : 0; }

ExitReport SubjectProcess::stop(Nanos grace, Nanos term_grace) {
  if (impl_->report) return *impl_->report;
  Guarded& guarded = *impl_->guarded;
  const auto ended = [](const Observed& seen) { return seen.ended || seen.gone; };
  if (guarded.alive()) {
    thaw();
    impl_->asked = true;
    guarded.close_stdin();
    if (!guarded.wait(now() + grace, ended)) {
      impl_->usage_when_hung = sample_tree(impl_->ready.pid, UsageDetail::kThreads);
      guarded.terminate();
      impl_->hung = !guarded.wait(now() + term_grace, ended);
    }
  }
  return impl_->finish();
}

std::optional<ExitReport> SubjectProcess::exit_report() const {
  if (impl_->report || impl_->guarded->alive()) return impl_->report;
  return impl_->finish();
}

Expected<RunOutput> run_once(const Command& command, const RunOptions& options) {
  GuardedOptions guarded_options;
  guarded_options.cpus = options.cpus;
  guarded_options.environment = options.environment;
  guarded_options.directory = options.directory;
  guarded_options.keep_output = true;
  guarded_options.output_limit = options.output_limit;
  guarded_options.stdin_text = options.stdin_text;
  guarded_options.close_stdin = !options.hold_stdin;
  const Nanos deadline = now() + options.deadline;
  auto guarded = Guarded::start(command, std::move(guarded_options));
  if (!guarded) return std::unexpected(guarded.error());
  const bool ended = (*guarded)->wait(deadline, [](const Observed& seen) { return seen.ended || seen.gone; });
  std::optional<TreeUsage> usage;
  if (!ended) usage = sample_tree((*guarded)->observed().root, UsageDetail::kThreads);
  (*guarded)->end();
  Observed seen = (*guarded)->observed();
  RunOutput output;
  output.exit = report_of(seen);
  output.exit.hung = !ended;
  output.exit.usage_when_hung = usage;
  output.exit.crashed = ended && seen.signal != 0;
  output.out = std::move(seen.out);
  output.truncated = seen.out_truncated;
  return output;
}

}  // namespace tickmark::process
