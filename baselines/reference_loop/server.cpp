#include "baselines/reference_loop/server.h"

#include <fmt/format.h>

namespace tickmark {

Expected<refloop::LoopOptions> loop_options(const subject::ServeContext& context) {
  const auto pool = context.option_number("pool", 1, 1024);
  if (!pool) return std::unexpected(pool.error());
  const auto backend = context.option_word("backend", {"epoll", "auto"});
  if (!backend) return std::unexpected(backend.error());
  refloop::LoopOptions options;
  options.pool_size = static_cast<size_t>(*pool);
  return options;
}

Expected<void> Server::listen(subject::Listener listener) {
  const auto started = listener_.listen(refloop::Socket(listener.fd.release()),
                                        [](refloop::Listener& from, refloop::Socket socket) {
                                          static_cast<Server*>(from.data)->serve(std::move(socket));
                                        });
  if (started) return {};
  return environment_error(fmt::format("cannot accept on port {}: {}; choose another --port", listener.port,
                                       refloop::message_of(started.error())));
}

void Server::stop() {
  if (stopping_.exchange(true)) return;
  listener_.close();
  for (LoopConnection* connection = connections_; connection; connection = connection->next_)
    connection->abort();
}

}  // namespace tickmark
