#include "conformance/oracle/protocol_cases.h"

namespace tickmark::conformance {

namespace {
using nlohmann::json;
}  // namespace

const std::vector<ProtocolCase>& protocol_cases() {
  static const std::vector<ProtocolCase> kCases{
      {.id = "self_test/nothing", .says = "a run in which main does nothing", .run = "", .steps = "[]"},
      {.id = "self_test/queues",
       .says = "ticks, microtasks and promise jobs, one scheduled by another",
       .run = "",
       .steps = R"([{"verb": "tick", "label": "t", "then": [{"verb": "microtask", "label": "m2"}]},
                    {"verb": "microtask", "label": "m"}, {"verb": "promise", "label": "p"}])"},
      {.id = "self_test/timeouts",
       .says = "a timeout, an immediate in it, and an interval that is stopped in its third callback",
       .run = "",
       .steps = R"([{"verb": "timeout", "label": "t", "ms": 3, "then": [{"verb": "immediate", "label": "i"}]},
                    {"verb": "interval", "label": "v", "ms": 2, "times": 3, "then": [{"verb": "tick", "label": "k"}],
                     "at": {"2": [{"verb": "tick", "label": "k2"}]}}])",
       .counts = {{"v", "3"}}},
      {.id = "self_test/cleared",
       .says = "a timeout that is cleared, with a record of the call",
       .run = "",
       .steps =
           R"([{"verb": "timeout", "label": "a", "ms": 5}, {"verb": "clear", "target": "a", "label": "c"}])",
       .counts = {{"a", "0"}, {"c", "0"}},
       .statuses = {{"c", "ok"}}},
      {.id = "self_test/overdue",
       .says = "a timeout that is overdue when main ends",
       .run = "",
       .steps = R"([{"verb": "timeout", "label": "a", "ms": 2}, {"verb": "busy", "ms": 1},
                    {"verb": "busy_until_overdue", "target": "a"}])"},
      {.id = "self_test/pool",
       .says = "work of the pool: a computation, a stat, a read",
       .run = "",
       .steps = R"([{"verb": "work", "label": "w", "ms": 1}, {"verb": "fs_stat", "label": "s"},
                    {"verb": "fs_read", "label": "r"}])"},
      {.id = "self_test/close",
       .says = "the close callback of a fresh handle",
       .run = "",
       .steps = R"([{"verb": "close", "label": "c"}])"},
      {.id = "self_test/bytes",
       .says = "100,000 bytes through a connected pair, and the end of the stream",
       .run = "",
       .steps = R"([{"verb": "tcp_pair", "label": "p", "then": [
                      {"verb": "read", "label": "r", "on": "p.server", "eof": "e"},
                      {"verb": "write", "label": "w", "on": "p.client", "bytes": 100000},
                      {"verb": "shutdown", "label": "s", "on": "p.client"}]}])",
       .counts = {{"r", ">=1"}},
       .bytes = {{"r", 100'000}}},
      {.id = "self_test/refused",
       .says = "a connection that is refused",
       .run = "",
       .steps = R"([{"verb": "connect", "label": "k", "refused": true}])",
       .statuses = {{"k", "refused"}}},
      {.id = "self_test/loop_timer",
       .says = "a repeating timer of the loop",
       .run = "",
       .steps = R"([{"verb": "timer", "label": "t", "ms": 2, "repeat_ms": 1, "times": 3}])",
       .counts = {{"t", "3"}}},
      {.id = "self_test/watchers",
       .says = "idle, prepare and check, each stopped in its last callback",
       .run = "",
       .steps = R"([{"verb": "idle", "label": "i", "times": 3}, {"verb": "prepare", "label": "p", "times": 2},
                    {"verb": "check", "label": "c", "times": 2}])",
       .counts = {{"i", "3"}, {"p", "2"}, {"c", "2"}}},
      {.id = "self_test/async",
       .says = "an async handle that is sent to, then closed",
       .run = "",
       .steps = R"([{"verb": "async", "label": "a", "then": [{"verb": "close", "label": "z", "on": "a"}]},
                    {"verb": "send", "target": "a", "count": 3}])",
       .counts = {{"a", ">=1"}}},
      {.id = "self_test/turns",
       .says = "a turn that does not wait, with a record of its return, then one to the end",
       .run = R"([{"mode": "nowait", "label": "r1"}, {"mode": "default"}])",
       .steps = R"([{"verb": "timer", "label": "t", "ms": 1}])",
       .statuses = {{"r1", "alive"}}},
      {.id = "self_test/own_process",
       .says = "a scenario with a process of its own",
       .run = "",
       .steps = R"([{"verb": "timeout", "label": "t", "ms": 1}])",
       .own_process = true},
  };
  return kCases;
}

json protocol_document(const ProtocolCase& one, unsigned repeat) {
  const json run = one.run.empty() ? json::array({{{"mode", "default"}}}) : json::parse(one.run);
  return {{"schema", "tickmark.scenarios/1"},
          {"kind", "scenarios"},
          {"pool", 1},
          {"repeat", one.own_process ? 1 : repeat},
          {"deadline_ms", 5000},
          {"scenarios", json::array({{{"id", one.id},
                                      {"own_process", one.own_process},
                                      {"run", run},
                                      {"steps", json::parse(one.steps)}}})}};
}

}  // namespace tickmark::conformance
