#include "baselines/cluster/worker.h"

#include <fmt/format.h>

#include "baselines/reference_loop/server.h"

namespace tickmark {

int run_worker(subject::ServeContext& context, refloop::ClusterWorker& worker) {
  bool listening = false;
  {
    Server server(worker.loop(), context);
    worker.on_stop = [&server] { server.stop(); };
    const auto serves = worker.serve([&server](refloop::Socket socket) { server.serve(std::move(socket)); });
    listening = serves.has_value();
    if (!listening) {
      (void)worker.send(fmt::format("cannot listen: {}", refloop::message_of(serves.error())));
      server.stop();
      worker.leave();
    }
    worker.loop().run();
  }
  if (!listening) return 3;
  std::string counters;
  for (const auto& [name, value] : context.final().counters) counters += fmt::format("{} {}\n", name, value);
  (void)worker.send(counters);
  return 0;
}

}  // namespace tickmark
