// cluster: N forked workers behind one port, each a reference loop. Two ways to share the port:
//   share=reuseport  every worker listens, the kernel spreads connections by their addresses (the default)
//   share=handoff    the parent accepts and hands sockets to the workers in turn, as Node's cluster does

#include <fmt/format.h>
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
  const auto& request = context.request();
  const auto address = refloop::Address::parse(request.address, request.port);
  if (!address)
    return usage_error(fmt::format("--address {}: expected an IPv4 or IPv6 literal", request.address));
  const auto loop = refloop::Loop::create();
  if (!loop)
    return environment_error(fmt::format("cannot make a loop: {}", refloop::message_of(loop.error())));
  const auto sharing =
      *share == "handoff" ? refloop::PortSharing::hand_off : refloop::PortSharing::reuse_port;
  Parent parent(context, **loop,
                {.address = *address,
                 .workers = static_cast<size_t>(*workers),
                 .sharing = sharing,
                 .worker_loop = *options,
                 .crashes_max = 0});
  return parent.serve();
}

}  // namespace
}  // namespace tickmark

int main(int argc, char** argv) {
  tickmark::SubjectDescription description;
  description.name = "cluster";
  description.versions = {{"refloop", "0.1.0"}};
  description.workloads = {"cpu", "crypto", "fs", "hello", "sockets"};
  description.options = {{"backend", "epoll"},
                         {"files", "pool"},
                         {"headers", "lean"},
                         {"pool", "4"},
                         {"share", "reuseport"},
                         {"workers", fmt::format("{}", std::min(::get_nprocs(), tickmark::kWorkersMax))}};
  return tickmark::subject::subject_main(argc, argv, {.description = description, .serve = tickmark::serve});
}
