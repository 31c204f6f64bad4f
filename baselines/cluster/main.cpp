// cluster: N forked workers behind one port, each a reference loop. Two ways to share the port:
//   share=reuseport  every worker listens, the kernel spreads connections by their addresses (the default)
//   share=handoff    the parent accepts and hands sockets to the workers in turn, as Node's cluster does

#include <fmt/format.h>
#include <sys/eventfd.h>
#include <sys/sysinfo.h>

#include "baselines/cluster/parent.h"
#include "baselines/reference_loop/server.h"
#include "harness/subject/subject_main.h"

namespace tickmark {
namespace {

constexpr int kWorkersMax = 256;

Expected<subject::Final> serve(subject::ServeContext& context) {
  const auto options = loop_options(context);
  if (!options) return std::unexpected(options.error());
  const auto workers = context.option_number("workers", 1, kWorkersMax);
  if (!workers) return std::unexpected(workers.error());
  const auto share = context.option_word("share", {"reuseport", "handoff"});
  if (!share) return std::unexpected(share.error());
  const bool handoff = *share == "handoff";

  // Sockets that share a port share it with every process of the same user: whether it is free must be asked
  // without SO_REUSEPORT. (Port 0 never gives a shared one.)
  const auto& request = context.request();
  if (!handoff && request.port != 0) {
    const auto probe = subject::listen_on({.address = request.address, .port = request.port, .backlog = 0});
    if (!probe) return std::unexpected(probe.error());
  }
  // With reuseport the parent only reserves the port: what does not listen gets no connection.
  const auto socket = subject::listen_on({.address = request.address,
                                          .port = request.port,
                                          .backlog = handoff ? subject::kBacklog : 0,
                                          .reuse_port = !handoff});
  if (!socket) return std::unexpected(socket.error());
  Parent parent(context);
  const auto own_port = handoff ? std::nullopt : std::optional(socket->port);
  if (auto ok = parent.start_workers(*workers, *options, own_port); !ok) return std::unexpected(ok.error());

  const UniqueFd stop(::eventfd(0, EFD_CLOEXEC));
  context.on_stop([fd = stop.get()] { ::eventfd_write(fd, 1); });
  context.ready(socket->port, *workers);
  const auto ended = handoff ? parent.hand_out(stop.get(), socket->fd.get()) : parent.wait(stop.get());
  auto final = parent.stop_workers();
  context.end_watch();
  if (!ended) return std::unexpected(ended.error());
  return final;
}

}  // namespace
}  // namespace tickmark

int main(int argc, char** argv) {
  tickmark::SubjectDescription description;
  description.name = "cluster";
  description.versions = {{"refloop", "0.1.0"}};
  description.workloads = {"cpu", "crypto", "fs", "hello", "sockets"};
  description.options = {{"backend", "epoll"},
                         {"headers", "lean"},
                         {"pool", "4"},
                         {"share", "reuseport"},
                         {"workers", fmt::format("{}", std::min(::get_nprocs(), tickmark::kWorkersMax))}};
  return tickmark::subject::subject_main(argc, argv, {.description = description, .serve = tickmark::serve});
}
