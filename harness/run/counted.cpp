#include "harness/run/counted.h"

#include <algorithm>
#include <cassert>
#include <fmt/format.h>
#include <fstream>
#include <sstream>
#include <thread>

#include "harness/load/lock_step.h"
#include "harness/process/paths.h"
#include "harness/process/subject_process.h"
#include "harness/run/asleep.h"
#include "harness/run/count_files.h"

namespace tickmark::run {
namespace {

namespace fs = std::filesystem;

// Valgrind makes everything some fifty times slower.
constexpr Nanos kStartMax = 60s;
constexpr Nanos kEndMax = 30s;

/// How long a subject may take to close the connection before it is asked more. Valgrind runs one thread at a
/// time, and one that waits in io_uring_enter keeps the others out, also the one that waits for the end: it
/// takes requests to wake it.
constexpr Nanos kEndPatience = 500ms;

constexpr const char* kInstall = "scripts/install-dependencies --test";

/// A program that counts: how it is called, and how what it leaves is read.
struct Counter {
  const char* program;
  std::vector<std::string> (*arguments)(const fs::path& folder);
  Expected<uint64_t> (*total)(std::string_view text);
  const char* ending;  ///< of the files that are kept
};

std::vector<std::string> callgrind_arguments(const fs::path& folder) {
  // Threads take turns, else one that waits for the others to let go may never get its turn. One file per
  // process: %p is valgrind's.
  return {"--tool=callgrind", "--quiet", "--trace-children=yes", "--fair-sched=yes",
          fmt::format("--callgrind-out-file={}/%p", folder.string())};
}

std::vector<std::string> strace_arguments(const fs::path& folder) {
  return {"-c", "-f", "-U", "calls,name", "-o", (folder / "all").string()};
}

const Counter& counter_of(CountedMetric metric) {
  static const Counter callgrind{"valgrind", callgrind_arguments, callgrind_total, "callgrind"};
  static const Counter strace{"strace", strace_arguments, strace_total, "strace"};
  return metric == CountedMetric::kInstructions ? callgrind : strace;
}

process::Command counted_command(const Counter& counter, const fs::path& folder,
                                 const process::Command& command) {
  process::Command words{counter.program};
  const auto arguments = counter.arguments(folder);
  words.insert(words.end(), arguments.begin(), arguments.end());
  words.insert(words.end(), command.begin(), command.end());
  return words;
}

std::vector<fs::path> files_in(const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder, ignored)) files.push_back(entry.path());
  std::ranges::sort(files);
  return files;
}

/// The sum over the files of `folder`: one for each process.
Expected<uint64_t> total_of(const Counter& counter, const fs::path& folder) {
  const std::vector<fs::path> files = files_in(folder);
  if (files.empty()) return environment_error(fmt::format("{} wrote nothing; count again", counter.program));
  uint64_t sum = 0;
  for (const fs::path& file : files) {
    std::ifstream in(file, std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    auto total = counter.total(text.view());
    if (!total) {
      return environment_error(
          fmt::format("what {} wrote cannot be read: {}", counter.program, total.error().message));
    }
    sum += *total;
  }
  return sum;
}

void keep(const Counter& counter, const fs::path& folder, const fs::path& evidence) {
  int process = 0;
  for (const fs::path& file : files_in(folder)) {
    std::error_code ignored;  // the count is made; its file is for whoever wants to look
    const std::string number = process == 0 ? "" : fmt::format("{}.", process);
    ++process;
    fs::copy_file(file, fmt::format("{}.{}{}", evidence.string(), number, counter.ending), ignored);
  }
}

void empty(const fs::path& folder) {
  std::error_code ignored;
  for (const fs::path& file : files_in(folder)) fs::remove(file, ignored);
}

struct CountedRun {
  uint64_t total = 0;     ///< of the whole life
  uint64_t answered = 0;  ///< requests in it
};

/// A whole life of the subject, under `counter` or, without one, by itself: how many requests it answered.
Expected<uint64_t> live(const CountSetup& setup, const Counter* counter, uint64_t requests) {
  const auto fault = [&](const std::string& what) {
    return subject_error(fmt::format("{}{} {}", setup.subject->id,
                                     counter ? fmt::format(" under {}", counter->program) : "", what));
  };
  process::StartOptions options;
  options.ready_deadline = kStartMax;
  const process::Command command = setup.subject->serve_command(setup.workload, setup.client->subject_params);
  auto subject = process::SubjectProcess::start(
      counter ? counted_command(*counter, setup.scratch, command) : command, options);
  if (!subject) return std::unexpected(subject.error());
  auto lock_step = load::LockStep::connect(subject->ready().address, subject->ready().port, *setup.client);
  if (!lock_step) return fault(lock_step.error().message);
  Asleep asleep(subject->ready().pid);
  const auto may_ask = [&] {
    asleep.wait();
    return !setup.interrupted || !setup.interrupted();
  };
  if (auto asked = lock_step->ask(requests, may_ask); !asked) return fault(asked.error().message);
  process::ExitReport exit;
  {
    const std::jthread waker([&] { lock_step->ask_until_closed(kEndPatience); });
    exit = subject->stop(kEndMax, kEndMax);
  }
  if (exit.hung) return fault("did not end when its stdin was closed");
  if (exit.crashed || exit.code != 0) {
    return fault(fmt::format("ended with exit code {}, signal {}: {}", exit.code, exit.signal,
                             exit.stderr_tail.empty() ? "it said nothing" : exit.stderr_tail));
  }
  return lock_step->answered();
}

/// What went wrong under a counter that is known to be the counter's, in one sentence.
std::string shortcoming(const CountSetup& setup, const Counter& counter, const Error& error) {
  const auto number = unhandled_system_call(error.message);
  if (!number) return "";
  return fmt::format(
      "{} makes system call {}, which this {} does not know, so its instructions cannot be counted here; a "
      "newer {} may know it",
      setup.subject->id, *number, counter.program, counter.program);
}

/// Whose fault is what went wrong under a counter: the subject's, if it goes wrong by itself, too.
Error blamed(const CountSetup& setup, const Counter& counter, uint64_t requests, Error error) {
  if (error.kind != ErrorKind::kSubject || !live(setup, nullptr, requests)) return error;
  if (const std::string known = shortcoming(setup, counter, error); !known.empty())
    return {ErrorKind::kEnvironment, known};
  return {
      ErrorKind::kEnvironment,
      fmt::format("{}; by itself it does all that was asked, so this is {} failing, or something that only "
                  "goes wrong under it",
                  error.message, counter.program)};
}

Expected<CountedRun> counted_run(const CountSetup& setup, const Counter& counter, uint64_t requests) {
  auto answered = live(setup, &counter, requests);
  if (!answered) return std::unexpected(blamed(setup, counter, requests, answered.error()));
  auto total = total_of(counter, setup.scratch);
  if (!total) return std::unexpected(total.error());
  return CountedRun{*total, *answered};
}

/// One that does nothing is counted like any subject.
Expected<void> check_counter(const Counter& counter, const fs::path& scratch) {
  if (process::find_program(counter.program).empty()) {
    return environment_error(fmt::format("{} is not installed, and --gate counted counts with it; run {}",
                                         counter.program, kInstall));
  }
  process::RunOptions options;
  options.deadline = kStartMax;
  auto ran = process::run_once(counted_command(counter, scratch, {"/bin/true"}), options);
  Expected<uint64_t> total = total_of(counter, scratch);
  empty(scratch);
  if (ran && total && *total > 0) return {};
  std::string said = ran ? ran->exit.stderr_tail : ran.error().message;
  std::ranges::replace(said, '\n', ' ');
  if (said.empty()) said = total ? "it counted nothing of one that runs" : total.error().message;
  return environment_error(fmt::format(
      "{} cannot count here ({}); a container needs the right to trace, as docker's --cap-add SYS_PTRACE",
      counter.program, said));
}

/// "valgrind 3.19.0", of "valgrind-3.19.0" or "strace -- version 6.1".
std::string version_of(const Counter& counter) {
  const auto said = process::run_once({counter.program, "--version"});
  const std::string line = said ? said->out.substr(0, said->out.find('\n')) : "";
  const size_t number = line.find_first_of("0123456789");
  return fmt::format("{} {}", counter.program, number == std::string::npos ? "?" : line.substr(number));
}

}  // namespace

Expected<double> count_per_request(const CountSetup& setup, CountedMetric metric) {
  assert(setup.subject && setup.client && setup.requests >= kCountedRequestsMin);
  const Counter& counter = counter_of(metric);
  // Long enough that what only the first requests take (a buffer that grows, a page that is touched) is over.
  const uint64_t few = setup.requests / 10;
  CountedRun runs[2];
  for (size_t i = 0; i < 2; ++i) {
    // Under valgrind some take thousands of requests to end (kEndPatience), and end at the same one whether
    // they were asked few or many: so the longer life is asked so many more than the shorter one answered.
    auto run = counted_run(setup, counter, i == 0 ? few : runs[0].answered + setup.requests);
    if (run && i == 1 && !setup.evidence.empty()) keep(counter, setup.scratch, setup.evidence);
    empty(setup.scratch);
    if (!run) return std::unexpected(run.error());
    if (setup.interrupted && setup.interrupted()) return environment_error("the count was interrupted");
    runs[i] = *run;
  }
  if (runs[1].total < runs[0].total) {
    return environment_error(fmt::format("{} counted {} for {} requests and {} for {}; count again",
                                         counter.program, runs[0].total, runs[0].answered, runs[1].total,
                                         runs[1].answered));
  }
  return static_cast<double>(runs[1].total - runs[0].total) /
         static_cast<double>(runs[1].answered - runs[0].answered);
}

Expected<std::vector<std::string>> check_counters(const fs::path& scratch) {
  std::vector<std::string> versions;
  for (const CountedMetric metric : kCountedMetrics) {
    const Counter& counter = counter_of(metric);
    if (auto counts = check_counter(counter, scratch); !counts) return std::unexpected(counts.error());
    versions.push_back(version_of(counter));
  }
  return versions;
}

std::string why_not_countable(const process::ResolvedSubject& subject) {
  if (subject.manifest.binary.empty() && subject.manifest.install.empty()) return "";
  return fmt::format(
      "{} cannot be counted: --gate counted is for the subjects that are built here, whose every instruction "
      "is ours; "
      "a runtime with a just-in-time compiler or a program of others executes other instructions in every "
      "run; use the "
      "default gate",
      subject.id);
}

}  // namespace tickmark::run
