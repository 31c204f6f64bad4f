#include "harness/process/guarded.h"

#include <atomic>
#include <cassert>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/process/paths.h"
#include "harness/process/process_tree.h"

extern char** environ;

namespace tickmark::process {
namespace {

/// Both ends of a pipe; the child's end lies at 10 or above, so that dup2 onto 0..3 cannot hit another.
struct Pipe {
  UniqueFd ours, theirs;
};

Expected<Pipe> make_pipe(bool we_write) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) {
    return environment_error(
        fmt::format("cannot make a pipe for a subject: {}; raise 'ulimit -n'", std::strerror(errno)));
  }
  const UniqueFd theirs(ends[we_write ? 0 : 1]);
  Pipe pipe{UniqueFd(ends[we_write ? 1 : 0]), UniqueFd(::fcntl(theirs.get(), F_DUPFD_CLOEXEC, 10))};
  ::fcntl(pipe.ours.get(), F_SETFL, O_NONBLOCK);
  if (!pipe.theirs) return environment_error("too few file descriptors for a subject; raise 'ulimit -n'");
  return pipe;
}

Expected<Pipe> make_control() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
    return environment_error(
        fmt::format("cannot make a socket pair: {}; raise 'ulimit -n'", std::strerror(errno)));
  }
  const UniqueFd theirs(ends[1]);
  Pipe pipe{UniqueFd(ends[0]), UniqueFd(::fcntl(theirs.get(), F_DUPFD_CLOEXEC, 10))};
  ::fcntl(pipe.ours.get(), F_SETFL, O_NONBLOCK);
  if (!pipe.theirs) return environment_error("too few file descriptors for a subject; raise 'ulimit -n'");
  return pipe;
}

std::vector<char*> pointers(std::vector<std::string>& strings) {
  std::vector<char*> result;
  for (std::string& s : strings) result.push_back(s.data());
  result.push_back(nullptr);
  return result;
}

/// The harness's environment with additions; an addition replaces the variable of the same name.
std::vector<std::string> environment_with(std::map<std::string, std::string> additions) {
  std::vector<std::string> result;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    if (!additions.contains(std::string(text.substr(0, text.find('='))))) result.emplace_back(text);
  }
  for (const auto& [key, value] : additions) result.push_back(key + "=" + value);
  return result;
}

std::string fresh_tag() {
  static std::atomic<uint64_t> counter{0};
  return fmt::format("{}.{}.{}", ::getpid(), now().count(), counter++);
}

}  // namespace

Expected<std::unique_ptr<Guarded>> Guarded::start(const Command& command, GuardedOptions options) {
  if (command.empty() || command[0].empty())
    return usage_error("a subject's command is empty; give a program");
  std::unique_ptr<Guarded> guarded(new Guarded());
  guarded->options_ = std::move(options);
  if (auto launched = guarded->launch(command); !launched) return std::unexpected(launched.error());
  // The guard answers at once; 30 s is for a machine that is swapping, not for a subject.
  guarded->wait(now() + 30s,
                [](const Observed& seen) { return seen.root != 0 || seen.start_errno != 0 || seen.gone; });
  const Observed seen = guarded->observed();
  if (seen.root != 0) return guarded;
  if (seen.start_errno != 0) {
    return subject_error(
        fmt::format("cannot start '{}': {}: {}; check that the program exists and may be executed",
                    command_text(command), seen.start_what, std::strerror(seen.start_errno)));
  }
  return environment_error(fmt::format(
      "the guard of '{}' did not start it; run './scripts/build' and try again", command_text(command)));
}

Expected<void> Guarded::launch(const Command& command) {
  const auto bin = find_bin();
  if (!bin) return std::unexpected(bin.error());
  auto in = make_pipe(true), out = make_pipe(false), err = make_pipe(false), control = make_control();
  for (auto* pipe : {&in, &out, &err, &control}) {
    if (!*pipe) return std::unexpected(pipe->error());
  }
  const std::string guard = *bin / "guard";
  std::vector<std::string> arguments{guard, "--control", "3"};
  if (!options_.cpus.empty()) {
    arguments.insert(arguments.end(), {"--cpus", fmt::format("{}", fmt::join(options_.cpus, ","))});
  }
  if (!options_.directory.empty())
    arguments.insert(arguments.end(), {"--directory", options_.directory.string()});
  arguments.push_back("--");
  arguments.insert(arguments.end(), command.begin(), command.end());
  tag_ = fresh_tag();
  auto additions = options_.environment;
  additions[std::string(kTagVariable)] = tag_;
  auto variables = environment_with(std::move(additions));
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, in->theirs.get(), 0);
  ::posix_spawn_file_actions_adddup2(&actions, out->theirs.get(), 1);
  ::posix_spawn_file_actions_adddup2(&actions, err->theirs.get(), 2);
  ::posix_spawn_file_actions_adddup2(&actions, control->theirs.get(), 3);
  const int failed = ::posix_spawn(&guard_, guard.c_str(), &actions, nullptr, pointers(arguments).data(),
                                   pointers(variables).data());
  ::posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) {
    guard_ = 0;
    return environment_error(
        fmt::format("cannot start the guard '{}': {}; run './scripts/build'", guard, std::strerror(failed)));
  }
  stdin_ = std::move(in->ours);
  out_ = std::move(out->ours);
  err_ = std::move(err->ours);
  control_ = std::move(control->ours);
  pump_ = std::thread([this] { pump(); });
  return {};
}

Guarded::~Guarded() { end(); }

Observed Guarded::observed() const {
  const std::lock_guard lock(mutex_);
  return seen_;
}

bool Guarded::alive() const {
  const std::lock_guard lock(mutex_);
  return !seen_.ended && !seen_.gone;
}

bool Guarded::wait(Nanos deadline, const std::function<bool(const Observed&)>& done) const {
  std::unique_lock lock(mutex_);
  // steady_clock is CLOCK_MONOTONIC, as now() is.
  return changed_.wait_until(lock, std::chrono::steady_clock::time_point(deadline),
                             [&] { return done(seen_); });
}

void Guarded::close_stdin() {
  assert(options_.stdin_text.empty());  // else stdin is the pump's
  const std::lock_guard lock(mutex_);
  stdin_.reset();
}

void Guarded::terminate() { (void)::send(control_.get(), "T", 1, MSG_NOSIGNAL | MSG_DONTWAIT); }

void Guarded::end() {
  if (guard_ == 0) return;
  (void)::send(control_.get(), "K", 1, MSG_NOSIGNAL | MSG_DONTWAIT);
  ::kill(guard_,
         SIGCONT);  // in case somebody stopped it; it is our child and not waited for, so the pid is its own
  pump_.join();
  ::waitpid(guard_, nullptr, 0);
  guard_ = 0;
}

}  // namespace tickmark::process
