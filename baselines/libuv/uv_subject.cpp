#include "baselines/libuv/uv_subject.h"

#include <cstdlib>
#include <memory>
#include <uv.h>

#include "baselines/libuv/uv_server.h"
#include "conformance/players/libuv_player.h"
#include "harness/subject/subject_main.h"

namespace tickmark {
namespace {

Expected<subject::Final> serve(subject::ServeContext& context) {
  const auto pool = context.option_number("pool", 1, 1024);
  if (!pool) return std::unexpected(pool.error());
  const auto write = context.option_word("write", {"try", "queue"});
  if (!write) return std::unexpected(write.error());
  // libuv reads it when the pool is first used.
  ::setenv("UV_THREADPOOL_SIZE", context.option("pool").c_str(), 1);
  const auto& request = context.request();
  auto reserved = subject::listen_on({.address = request.address, .port = request.port, .backlog = 0});
  if (!reserved) return std::unexpected(reserved.error());
  const auto server = std::make_unique<UvServer>(context, *write == "try");
  const auto ran = server->run(std::move(*reserved));
  if (!ran) return std::unexpected(ran.error());
  return context.final();
}

}  // namespace
int uv_subject_main(int argc, char** argv, const std::string& name,
                    std::map<std::string, std::string> versions) {
  SubjectDescription description;
  description.name = name;
  description.versions = std::move(versions);
  description.versions.emplace("uv", uv_version_string());
  description.workloads = {"cpu", "crypto", "fs", "hello", "sockets"};
  description.options = {{"headers", "lean"}, {"pool", "4"}, {"write", "try"}};
  description.features = {"play_rules_under_load"};
  return subject::subject_main(
      argc, argv, {.description = description, .serve = serve, .play = conformance::libuv::play});
}

}  // namespace tickmark
