#include "baselines/reference_loop/server.h"

#include <fmt/format.h>

#include "reference-loop/io_uring_backend.h"

namespace tickmark {

Expected<refloop::BackendKind> backend_option(const Parameters& options) {
  const std::string& word = options.at("backend");
  if (word == "epoll") return refloop::BackendKind::epoll;
  if (word != "io_uring" && word != "auto")
    return usage_error(fmt::format("option backend={}: expected one of epoll, io_uring, auto", word));
  const std::string_view refusal = refloop::io_uring_refusal();
  if (refusal.empty()) return refloop::BackendKind::io_uring;
  if (word == "auto") return refloop::BackendKind::epoll;
  return environment_error(fmt::format("option backend=io_uring: {}", refusal));
}

Parameters chosen_backend(const subject::ServeContext& context, const refloop::LoopOptions& options) {
  if (context.option("backend") != "auto") return {};
  return {{"backend", options.backend == refloop::BackendKind::io_uring ? "io_uring" : "epoll"},
          {"files", options.files == refloop::FilesOn::ring ? "ring" : "pool"}};
}

Expected<refloop::LoopOptions> loop_options(const subject::ServeContext& context) {
  const auto pool = context.option_number("pool", 1, 1024);
  if (!pool) return std::unexpected(pool.error());
  const auto backend = backend_option(context.request().options);
  if (!backend) return std::unexpected(backend.error());
  refloop::LoopOptions options;
  options.backend = *backend;
  const auto files = context.option_word("files", {"pool", "ring"});
  if (!files) return std::unexpected(files.error());
  if (*files == "ring" && context.option("backend") == "epoll")
    return usage_error("option files=ring: only backend=io_uring has a ring");
  if (*files == "ring" && *backend == refloop::BackendKind::io_uring) options.files = refloop::FilesOn::ring;
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
