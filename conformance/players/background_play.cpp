#include "conformance/players/background_play.h"

#include <cassert>
#include <cstdio>
#include <signal.h>
#include <thread>
#include <unistd.h>

#include "conformance/players/background.h"
#include "conformance/players/background_trace.h"
#include "conformance/players/live_sockets.h"

namespace tickmark::conformance::reference {

namespace {

constexpr size_t kTraceRecords = 256 * 1024;

// Blocks on stdin beside the loop: registering it with the loop under test would change what is tested.
void watch_stdin(std::atomic<bool>& closed) {
  char byte = 0;
  while (read(STDIN_FILENO, &byte, 1) > 0) {
  }
  closed.store(true, std::memory_order_release);
}

int fail(const std::string& message, int code) {
  std::fprintf(stderr, "%s\n", message.c_str());
  return code;
}

}  // namespace

int play_background(const ScenarioFile& file, const subject::PlayRequest& request,
                    const StartServer& start_server, refloop::BackendKind backend) {
  if (!request.serve.empty() && !start_server) return fail("this player serves no workload", 2);
  signal(SIGPIPE, SIG_IGN);
  auto created = refloop::Loop::create({.backend = backend, .pool_size = file.pool});
  if (!created) return fail("cannot create a loop", 3);
  // The loop outlives this call: the server's connections are still open when the trace is written, and the
  // process is about to end.
  refloop::Loop& loop = *created->release();
  loop.start_trace(kTraceRecords);

  static std::atomic<bool> stdin_closed{false};
  std::thread(watch_stdin, std::ref(stdin_closed)).detach();
  auto* program = new BackgroundProgram(loop, file.background, stdin_closed);
  if (!request.serve.empty()) {
    const auto port = start_server(loop, request.serve);
    if (!port) return fail(port.error().message, exit_code(port.error().kind));
    say_ready(*port);
  }
  alarm(static_cast<unsigned>(file.deadline.count() / 1'000'000'000));
  program->start();
  loop.run();
  alarm(0);
  const auto trace = loop.stop_trace();
  const auto written = write_background_trace(*trace, request.trace, file.pool, file.background.seed);
  if (!written) return fail(written.error().message, 3);
  return 0;
}

}  // namespace tickmark::conformance::reference
