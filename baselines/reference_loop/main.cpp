// reference_loop: the loop under study, serving.

#include <cstdio>
#include <fmt/format.h>
#include <limits>

#include "baselines/reference_loop/server.h"
#include "conformance/players/refloop_player.h"
#include "harness/subject/subject_main.h"
#include "reference-loop/async.h"

namespace tickmark {
namespace {

Expected<subject::Final> serve(subject::ServeContext& context) {
  if (context.option("time") != "real")
    return usage_error("option time=virtual: for conformance alone; clients of a server live in real time");
  if (context.option("perturb") != "off")
    return usage_error(fmt::format(
        "option perturb={}: a server is not perturbed; expected off, or conform with time=virtual",
        context.option("perturb")));
  // The simulation's; unused here, but a wrong value is wrong all the same.
  if (const auto seed = context.option_number("seed", 0, std::numeric_limits<int>::max()); !seed)
    return std::unexpected(seed.error());
  const auto options = loop_options(context);
  if (!options) return std::unexpected(options.error());
  const auto& request = context.request();
  auto listener = subject::listen_on({.address = request.address, .port = request.port});
  if (!listener) return std::unexpected(listener.error());
  const uint16_t port = listener->port;
  const auto loop = refloop::Loop::create(*options);
  if (!loop)
    return environment_error(fmt::format("cannot make a loop: {}", refloop::message_of(loop.error())));

  Server server(**loop, context);
  refloop::Async wake(**loop, [](refloop::Async& async) {
    static_cast<Server*>(async.data)->stop();
    async.close();
  });
  wake.data = &server;
  const auto listening = server.listen(std::move(*listener));
  if (listening) {
    context.on_stop([&wake] { wake.send(); });
    context.ready(port, 1, chosen_backend(context, *options));
  } else {
    wake.send();
  }
  (*loop)->run();
  context.end_watch();
  if (!listening) return std::unexpected(listening.error());
  return context.final();
}

// A server in the loop the player judges. It lives until the process ends, as the player's contract wants it.
Expected<uint16_t> serve_beside(const subject::PlayRequest& request, refloop::Loop& loop,
                                std::string_view workload) {
  subject::raise_descriptor_limit();
  auto context = subject::ServeContext::create(
      {.workload = std::string(workload), .options = request.options, .params = request.params});
  if (!context) return std::unexpected(context.error());
  auto listener = subject::listen_on({});
  if (!listener) return std::unexpected(listener.error());
  const uint16_t port = listener->port;
  static subject::ServeContext* const kept_context = context->release();
  static Server* const kept_server = new Server(loop, *kept_context);
  if (auto ok = kept_server->listen(std::move(*listener)); !ok) return std::unexpected(ok.error());
  return port;
}

int play(const subject::PlayRequest& request) {
  const auto backend = backend_option(request.options);
  if (!backend) {
    std::fprintf(stderr, "%s\n", backend.error().message.c_str());
    return exit_code(backend.error().kind);
  }
  return conformance::reference::play(
      request,
      [&request](refloop::Loop& loop, std::string_view workload) {
        return serve_beside(request, loop, workload);
      },
      *backend);
}

}  // namespace
}  // namespace tickmark

int main(int argc, char** argv) {
  tickmark::SubjectDescription description;
  description.name = "reference_loop";
  description.versions = {{"refloop", "0.1.0"}};
  description.workloads = {"cpu", "crypto", "fs", "hello", "sockets"};
  description.options = {{"backend", "epoll"}, {"files", "pool"}, {"headers", "lean"}, {"perturb", "off"},
                         {"pool", "4"},        {"seed", "1"},     {"slowdown", "0%"},  {"time", "real"}};
  description.features = {"play_under_load", "play_rules_under_load", "play_programs", "fresh_loops"};
  return tickmark::subject::subject_main(
      argc, argv, {.description = description, .serve = tickmark::serve, .play = tickmark::play});
}
