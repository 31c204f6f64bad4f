// The client of the wire layer: player_wire -- SUBJECT... -- play --scenarios F --trace F [--option K=V]...
//
// Starts `SUBJECT serve` once per workload and plays every scenario against it, as often as asked. Exit 1:
// the server ended; 2: bad input; 3: the trace cannot be written.
#include <algorithm>
#include <cstdio>
#include <map>
#include <signal.h>
#include <string_view>

#include "conformance/players/wire_stage.h"
#include "conformance/players/wire_subject.h"

namespace {

using namespace tickmark;
using namespace tickmark::conformance;
using namespace tickmark::conformance::wire;

struct Arguments {
  std::vector<std::string> subject;
  std::string scenarios;
  std::string trace;
  std::vector<std::string> options;
};

std::optional<Arguments> parse(std::vector<std::string> words) {
  Arguments arguments;
  const auto play = std::find(words.rbegin(), words.rend(), "--");
  if (words.size() < 2 || words[1] != "--" || play.base() - words.begin() < 4) return std::nullopt;
  arguments.subject.assign(words.begin() + 2, play.base() - 1);
  auto word = play.base();
  if (word == words.end() || *word != "play") return std::nullopt;
  for (++word; word != words.end() && word + 1 != words.end(); word += 2) {
    if (*word == "--scenarios")
      arguments.scenarios = word[1];
    else if (*word == "--trace")
      arguments.trace = word[1];
    else if (*word == "--option")
      arguments.options.push_back(word[1]);
    else if (*word != "--mode")
      return std::nullopt;
  }
  if (word != words.end() || arguments.scenarios.empty() || arguments.trace.empty()) return std::nullopt;
  return arguments;
}

int complain(int code, const std::string& sentence) {
  std::fprintf(stderr, "%s\n", sentence.c_str());
  return code;
}

int play(const Arguments& arguments) {
  const auto script = read_script(arguments.scenarios);
  if (!script) return complain(2, script.error().message);
  auto recorder = Recorder::open(arguments.trace, "wire", 0);
  if (!recorder) return complain(2, recorder.error().message);
  std::map<std::string, std::unique_ptr<Subject>> servers;  // by workload
  for (const Scenario& scenario : script->scenarios) {
    std::unique_ptr<Subject>& server = servers[scenario.workload];
    if (!server) {
      auto started = Subject::start(arguments.subject, scenario.workload, arguments.options);
      if (!started) return complain(1, started.error().message);
      server = std::move(*started);
    }
    const Dialect dialect = scenario.workload == "sockets" ? Dialect::echo : Dialect::http;
    bool in_time = true;
    // One that was late would be late again: the rest would only cost its patience.
    for (unsigned run = 0; run < script->repeat && in_time; ++run) {
      recorder->start(scenario.id, run);
      Stage stage(*recorder, server->port(), dialect,
                  {.kept_waiting = [&server] { return server->kept_waiting(); }});
      in_time = stage.play(scenario);
      if (!recorder->finish())
        return complain(3, "cannot write the trace " + arguments.trace + ": is the disk full?");
      if (const std::string why = server->why_ended(); !why.empty()) return complain(1, why);
    }
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  signal(SIGPIPE, SIG_IGN);
  const auto arguments = parse({argv, argv + argc});
  if (!arguments) {
    return complain(
        2, "usage: player_wire -- SUBJECT... -- play --scenarios FILE --trace FILE [--option KEY=VALUE]...");
  }
  return play(*arguments);
}
