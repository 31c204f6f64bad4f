#pragma once
// The command line of the test players and mutants: the `play` verb of the subject contract and nothing else.

#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "harness/subject/play.h"

namespace tickmark::conformance {

/// Ends the process with exit 2 on anything but `play --scenarios F --trace F [--mode M] [--serve W]
/// [--option K=V]`.
inline subject::PlayRequest parse_play_arguments(int argc, char** argv) {
  subject::PlayRequest request;
  bool understood = argc >= 2 && argc % 2 == 0 && std::string_view(argv[1]) == "play";
  for (int i = 2; understood && i + 1 < argc; i += 2) {
    const std::string_view flag = argv[i];
    const std::string_view value = argv[i + 1];
    if (flag == "--scenarios")
      request.scenarios = argv[i + 1];
    else if (flag == "--trace")
      request.trace = argv[i + 1];
    else if (flag == "--mode")
      request.mode = argv[i + 1];
    else if (flag == "--serve")
      request.serve = argv[i + 1];
    else if (const size_t equals = value.find('='); flag == "--option" && equals != value.npos)
      request.options[std::string(value.substr(0, equals))] = value.substr(equals + 1);
    else
      understood = false;
  }
  if (!understood || request.scenarios.empty() || request.trace.empty()) {
    std::fprintf(stderr,
                 "usage: %s play --scenarios FILE --trace FILE [--mode M] [--serve W] [--option KEY=VALUE]\n",
                 argv[0]);
    std::exit(2);
  }
  return request;
}

}  // namespace tickmark::conformance
