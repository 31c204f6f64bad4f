#include "harness/subject/subject_main.h"

#include <cassert>
#include <cstdio>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <openssl/crypto.h>
#include <sys/utsname.h>

#include "harness/subject/arguments.h"
#include "harness/subject/listen.h"

namespace tickmark::subject {
namespace {

int fail(const SubjectProgram& program, const Error& error) {
  fmt::print(stderr, "subject_{}: {}\n", program.description.name, error.message);
  return exit_code(error.kind);
}

int describe(const SubjectProgram& program) {
  const SubjectDescription& description = program.description;
  auto versions = description.versions;
  utsname kernel{};
  ::uname(&kernel);
  versions.emplace("compiler", "g++ " __VERSION__);
  versions.emplace("openssl", OpenSSL_version(OPENSSL_VERSION_STRING));
  versions.emplace("kernel", kernel.release);
  auto features = description.features;
  if (program.play) features.push_back("play");
  const nlohmann::json json = {{"name", description.name},
                               {"versions", versions},
                               {"workloads", description.workloads},
                               {"features", features},
                               {"options", description.options}};
  fmt::print("{}\n", json.dump());
  return 0;
}

int serve(const SubjectProgram& program, const ServeRequest& request) {
  block_stop_signals();
  raise_descriptor_limit();
  auto context = ServeContext::create(request);
  if (!context) return fail(program, context.error());
  const auto final = program.serve(**context);
  if (!final) return fail(program, final.error());
  (*context)->print_final(*final);
  return 0;
}

}  // namespace

int subject_main(int argc, char** argv, const SubjectProgram& program) {
  assert(program.serve);
  const bool can_play = program.play != nullptr;
  const auto request = parse_arguments({argv + 1, static_cast<size_t>(argc > 0 ? argc - 1 : 0)},
                                       program.description, can_play);
  if (!request) return fail(program, request.error());
  if (std::holds_alternative<HelpRequest>(*request)) {
    fmt::print("{}", usage_text(program.description, can_play));
    return 0;
  }
  if (std::holds_alternative<DescribeRequest>(*request)) return describe(program);
  if (const auto* play = std::get_if<PlayRequest>(&*request)) return program.play(*play);
  return serve(program, std::get<ServeRequest>(*request));
}

}  // namespace tickmark::subject
