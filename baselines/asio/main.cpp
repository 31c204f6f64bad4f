// asio: standalone Asio, programmed as its documentation's own servers are.

#include <asio/version.hpp>
#include <fmt/format.h>
#include <memory>

#include "baselines/asio/asio_server.h"
#include "conformance/players/asio_player.h"
#include "harness/subject/subject_main.h"

namespace tickmark {
namespace {

Expected<subject::Final> serve(subject::ServeContext& context) {
  const auto pool = context.option_number("pool", 1, 1024);
  if (!pool) return std::unexpected(pool.error());
  const auto& request = context.request();
  auto listener = subject::listen_on({.address = request.address, .port = request.port});
  if (!listener) return std::unexpected(listener.error());
  const auto server = std::make_unique<AsioServer>(context, static_cast<size_t>(*pool));
  const auto ran = server->run(std::move(*listener));
  if (!ran) return std::unexpected(ran.error());
  return context.final();
}

}  // namespace
}  // namespace tickmark

int main(int argc, char** argv) {
  tickmark::SubjectDescription description;
  description.name = "asio";
  description.versions = {{"asio", fmt::format("{}.{}.{}", ASIO_VERSION / 100000, ASIO_VERSION / 100 % 1000,
                                               ASIO_VERSION % 100)}};
  description.workloads = {"cpu", "crypto", "fs", "hello", "sockets"};
  description.features = {"play_rules_under_load"};
  description.options = {{"headers", "lean"}, {"pool", "4"}};
  return tickmark::subject::subject_main(argc, argv,
                                         {.description = description,
                                          .serve = tickmark::serve,
                                          .play = tickmark::conformance::asio_player::play});
}
