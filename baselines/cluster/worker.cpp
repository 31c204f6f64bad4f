#include "baselines/cluster/worker.h"

#include <fmt/format.h>

#include "baselines/cluster/channel.h"
#include "baselines/reference_loop/server.h"
#include "reference-loop/poll.h"

namespace tickmark {
namespace {

constexpr int kSocketsPerTurn = 64;  // a storm of connects must not starve those connected

void on_channel(refloop::Poll& poll, uint32_t) {
  auto& server = *static_cast<Server*>(poll.data);
  for (int i = 0; i < kSocketsPerTurn; ++i) {
    Received received = receive_socket(poll.fd());
    if (received.ended) {
      server.stop();
      poll.close();
      return;
    }
    if (!received.socket) return;
    server.serve(refloop::Socket(received.socket.release()));
  }
}

Expected<void> listen_beside_the_others(Server& server, const subject::ServeContext& context, uint16_t port) {
  auto listener =
      subject::listen_on({.address = context.request().address, .port = port, .reuse_port = true});
  if (!listener) return std::unexpected(listener.error());
  return server.listen(std::move(*listener));
}

}  // namespace

int run_worker(subject::ServeContext& context, refloop::LoopOptions options, UniqueFd channel,
               std::optional<uint16_t> own_port) {
  const auto loop = refloop::Loop::create(options);
  if (!loop) {
    send_text(channel.get(), fmt::format("cannot make a loop: {}", refloop::message_of(loop.error())));
    return 3;
  }
  {
    Server server(**loop, context);
    refloop::Poll poll(**loop, channel.get());
    poll.data = &server;
    Expected<void> listening;
    if (own_port) listening = listen_beside_the_others(server, context, *own_port);
    if (listening && !poll.start(EPOLLIN, on_channel))
      listening = environment_error("cannot poll the channel");
    send_text(channel.get(), listening ? "listening" : listening.error().message);
    if (!listening) {
      server.stop();
      poll.close();
    }
    (*loop)->run();
  }
  std::string counters;
  for (const auto& [name, value] : context.final().counters) counters += fmt::format("{} {}\n", name, value);
  send_text(channel.get(), counters);
  return 0;
}

}  // namespace tickmark
