'use strict';
// The verbs of docs/scenarios.md: the keys each takes besides verb, label, then and at; whether its label
// names a callback; and why it cannot be played here, if so.

const { load, name, title, workers } = require('./runtime.cjs');

const kNoPhase = `${title} has no API for a callback in this phase of the loop`;
const kLoopLayer = `an operation of the loop layer: ${title}'s JavaScript has no API for it`;
const kOwnLayer = `${title}'s own module for this calls back through streams and ticks, which its own rules judge`;
const kAsio = 'an operation of Asio';
const kNoLoopTimer = `${title}'s timers are setTimeout and setInterval`;
const kNoThreads = workers === null ? `this ${title} has no worker threads` : undefined;
const kNoBroadcast = workers === null || workers.BroadcastChannel === undefined
  ? `this ${title} has no BroadcastChannel` : undefined;
const kNoAsyncHooks = load('async_hooks').createHook === undefined ? `${title} has no async_hooks` : undefined;

const kCallbacks = {
  tick: { keys: [] },
  microtask: { keys: [] },
  promise: { keys: [] },
  immediate: { keys: ['promised'] },
  timeout: { keys: ['ms', 'promised'] },
  interval: { keys: ['ms', 'times'] },
  work: { keys: ['ms', 'to'], pool: true },
  lookup: { keys: ['by_name'] },
  fs_stat: { keys: [], pool: true },
  fs_read: { keys: [], pool: true },
  fs_write: { keys: [], pool: true },
  fs_promise: { keys: [], pool: true },
  close: { keys: ['on'] },
  tcp_pair: { keys: [] },
  connect: { keys: ['refused', 'by_name'], unsupported: kNoThreads },
  write: { keys: ['on', 'bytes'] },
  read: { keys: ['on', 'eof', 'eof_then'] },
  shutdown: { keys: ['on'] },
  listen: { keys: ['on', 'event'] },
  react: { keys: ['on'] },
  await: { keys: ['on'] },
  pipeline: { keys: ['on', 'to'] },
  datagram_send: { keys: ['on'] },
  http_get: { keys: [] },
  ipc_send: { keys: ['on'] },
  timer: { keys: ['ms', 'repeat_ms', 'times', 'started'], unsupported: kNoLoopTimer },
  idle: { keys: ['times'], unsupported: kNoPhase },
  prepare: { keys: ['times'], unsupported: kNoPhase },
  check: { keys: ['times'], unsupported: kNoPhase },
  async: { keys: [], unsupported: kLoopLayer },
  longest_timer: { keys: [], unsupported: kLoopLayer },
  pipe_pair: { keys: [], unsupported: kOwnLayer },
  udp: { keys: [], unsupported: kOwnLayer },
  udp_send: { keys: ['on', 'to', 'bytes'], unsupported: kOwnLayer },
  resolve: { keys: ['ms'], unsupported: kOwnLayer },
  signal: { keys: ['once'] },
  spawn: { keys: ['code', 'waits', 'output'], unsupported: kOwnLayer },
  executor_post: { keys: ['strand'], unsupported: kAsio },
  executor_dispatch: { keys: [], unsupported: kAsio },
  steady_timer: { keys: ['ms'], unsupported: kAsio },
};

const kCalls = {
  deferred: { keys: [] },
  resolve_promise: { keys: ['target', 'to'] },
  reject_promise: { keys: ['target'] },
  pass_through: { keys: ['on'] },
  async_returning: { keys: ['on'] },
  writable: { keys: ['slow', 'final'] },
  readable: { keys: ['count'] },
  channel: { keys: [], unsupported: kNoThreads },
  post: { keys: ['target', 'count'] },
  worker: { keys: ['count'], unsupported: kNoThreads },
  child: { keys: ['missing'] },
  fork: { keys: ['count', 'echo'] },
  broadcast: { keys: [], unsupported: kNoBroadcast },
  datagram: { keys: [] },
  destroy: { keys: ['target', 'error'] },
  track_async: { keys: [], unsupported: kNoAsyncHooks },
  throw: { keys: [] },
  exit: { keys: [] },
  wait_written: { keys: ['target'] },
  clear: { keys: ['target'] },
  refresh: { keys: ['target'] },
  ref: { keys: ['target'] },
  unref: { keys: ['target'] },
  read_stop: { keys: ['target'] },
  busy: { keys: ['ms'] },
  busy_until_overdue: { keys: ['target'] },
  restart: { keys: ['target'], unsupported: kLoopLayer },
  again: { keys: ['target'], unsupported: kLoopLayer },
  send: { keys: ['target', 'count'], unsupported: kLoopLayer },
  stop_loop: { keys: [], unsupported: kLoopLayer },
  set_repeat: { keys: ['target', 'ms'], unsupported: kLoopLayer },
  update_time: { keys: [], unsupported: kLoopLayer },
  is_alive: { keys: [], unsupported: kLoopLayer },
  try_write: { keys: ['target', 'bytes'], unsupported: kOwnLayer },
  raise: { keys: ['target', 'count'] },
  kill: { keys: ['target'], unsupported: kOwnLayer },
  answer: { keys: [], unsupported: kLoopLayer },
  cancel_wait: { keys: ['target'], unsupported: kAsio },
  socket_close: { keys: ['target'], unsupported: kAsio },
  cancel: { keys: ['target'], unsupported: `${title} cannot cancel work that its pool has accepted` },
  wait_started: { keys: ['target'], unsupported: `${title} does not tell when its pool begins a piece of work` },
};

const kVerbs = Object.assign({}, kCallbacks, kCalls);

function has(table, verb) {
  return Object.prototype.hasOwnProperty.call(table, verb);
}

// A rule that counts on so many threads of the pool asks Node: others do not say that they have one.
function pool_lack(verb, pool) {
  if (name === 'node' || pool === 4 || !kVerbs[verb].pool) return undefined;
  return `${title} does not let a program choose how many threads its pool has`;
}

module.exports = {
  is_verb: (verb) => has(kVerbs, verb),
  has_callback: (verb) => has(kCallbacks, verb),
  keys_of: (verb) => kVerbs[verb].keys,
  lack_of: (verb, pool) => kVerbs[verb].unsupported || pool_lack(verb, pool),
};
