#pragma once
// The scenario file of docs/scenarios.md as structs: what a native player is asked to do.

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/error.h"
#include "harness/base/time.h"

namespace tickmark::conformance {

enum class Verb {
  tick,
  microtask,
  promise,
  immediate,
  timeout,
  interval,
  timer,
  idle,
  prepare,
  check,
  async,
  work,
  fs_stat,
  fs_read,
  close,
  tcp_pair,
  connect,
  write,
  read,
  shutdown,  // these have a callback
  clear,
  refresh,
  restart,
  again,
  ref,
  unref,
  cancel,
  send,
  read_stop,
  busy,
  busy_until_overdue,
  wait_started,
  stop_loop,
  // Of the loop layer alone. With a callback:
  longest_timer,
  pipe_pair,
  udp,
  udp_send,
  resolve,
  signal,
  spawn,
  // and without:
  set_repeat,
  update_time,
  is_alive,
  try_write,
  raise,
  kill,
  answer,
  // Of Asio alone. With a callback:
  executor_post,
  executor_dispatch,
  steady_timer,
  // and without:
  cancel_wait,
  socket_close,
  // Of the Node layer. With a callback:
  listen,
  react,
  await,
  lookup,
  fs_write,
  fs_promise,
  pipeline,
  datagram_send,
  http_get,
  ipc_send,
  // and without:
  deferred,
  pass_through,
  async_returning,
  writable,
  readable,
  channel,
  worker,
  child,
  fork,
  broadcast,
  datagram,
  resolve_promise,
  reject_promise,
  post,
  destroy,
  wait_written,
  throw_error,
  exit,
  track_async,
};

/// Only a runtime with ticks and promises has it.
inline bool is_of_node_layer(Verb verb) { return verb >= Verb::listen; }

std::string_view name_of(Verb verb);
bool has_callback(Verb verb);

struct Step {
  Verb verb = Verb::tick;
  std::string label;
  std::string target;
  std::string on;
  std::string to;
  std::string eof;
  std::string event;
  std::string final;
  long ms = 0;
  long repeat_ms = 0;
  long times = 1;
  long bytes = 0;
  long count = 1;
  long code = 0;
  bool started = true;
  bool refused = false;
  bool promised = false;
  bool by_name = false;
  bool slow = false;
  bool missing = false;
  bool error = false;
  bool once = false;
  bool strand = false;
  bool waits = false;
  bool output = false;
  std::vector<Step> then;
  std::vector<Step> eof_then;
  std::map<unsigned, std::vector<Step>> at;  ///< steps of the n-th callback, from 1
};

enum class TurnMode { until_idle, once, nowait };

std::string_view name_of(TurnMode mode);

struct Turn {
  TurnMode mode = TurnMode::until_idle;
  std::string label;
  std::vector<Step> before;
};

struct Scenario {
  std::string id;
  bool own_process = false;  ///< it is a process from its main to its exit, and the only one
  std::vector<Turn> turns;
  std::vector<Step> steps;
};

struct Background {
  uint64_t seed = 1;
  Nanos duration{0};
};

struct ScenarioFile {
  bool is_background = false;
  unsigned pool = 4;
  unsigned repeat = 1;
  Nanos deadline = 5s;
  int connections = 0;  ///< the player begins when so many are open (`play --serve sockets`)
  std::vector<Scenario> scenarios;
  Background background;
};

/// Reads and checks the file. Unknown keys and verbs are refused.
Expected<ScenarioFile> read_scenario_file(const std::filesystem::path& path);

}  // namespace tickmark::conformance
