'use strict';
// What each verb of docs/scenarios.md is here. A verb with a callback gets (run, step, entry) and
// sees to it that entry.fire() becomes the callback; a verb without one gets (run, step) and returns
// its status, or nothing for `ok`.

const { load, micro, name, net, process, timers, workers } = require('./runtime.cjs');
const { ScenarioError } = require('./scenario_error.cjs');
const channels = require('./channels.cjs');
const children = require('./children.cjs');
const datagrams = require('./datagrams.cjs');
const files = require('./files.cjs');
const http = require('./http.cjs');
const library_streams = require('./library_streams.cjs');
const promises = require('./promises.cjs');
const signals = require('./signals.cjs');
const streams = require('./streams.cjs');
const things = require('./things.cjs');

const crypto = load('crypto');
const dns = load('dns');
const async_hooks = load('async_hooks');

const kOverdueMs = 2;
const kDelayMsMax = 2147483647;

function spin_until(due_ns) {
  while (process.hrtime.bigint() < due_ns);
}

// Every delay below 1 ms, and above what fits, is 1 ms.
function effective_ms(step) {
  return step.ms >= 1 && step.ms <= kDelayMsMax ? step.ms : 1;
}

function clear(run, step) {
  const entry = run.target(step.target);
  const clears = {
    timeout: timers.clearTimeout,
    interval: timers.clearInterval,
    immediate: timers.clearImmediate,
    signal: (handle) => handle.stop(),
  };
  const clear_it = clears[entry.cause];
  if (clear_it === undefined) return 'invalid';
  clear_it(entry.handle);
  if (entry.owed && entry.cause !== 'immediate') {
    run.watch_until(entry.started_ns + effective_ms(entry.step) * 1e6);
  }
  entry.cleared = true;
  entry.owe(false);
  return 'ok';
}

function refresh(run, step) {
  const entry = run.target(step.target);
  if (!entry.handle || typeof entry.handle.refresh !== 'function') return 'invalid';
  entry.handle.refresh();
  entry.started_ns = Number(process.hrtime.bigint());
  entry.owe(!entry.cleared);
  return 'ok';
}

function set_liveness(method) {
  return (run, step) => {
    const { handle } = run.target(step.target);
    if (!handle || typeof handle[method] !== 'function') return 'invalid';
    handle[method]();
    return 'ok';
  };
}

// A handle of our own, whose close callback runs in the loop's closing phase: a message port is the one
// Node lets us make and close in one go. (A server's or a timer's `close` event is only a tick.) Where
// there are none it is a socket that is given up before it connects.
function close_fresh_handle(then) {
  if (workers !== null) {
    const { port1 } = new workers.MessageChannel();
    port1.on('close', then);
    port1.close();
    return;
  }
  const socket = net.connect({ port: 1, host: '127.0.0.1' });
  socket.on('error', () => {});
  socket.on('close', then);
  socket.destroy();
}

// Steps of a position equal to a main script's: timers come next, then poll, then check. In Node that is a
// callback of the closing phase: that of the end of a channel which closes last, so that none of the player's own
// comes behind it. What phases Deno and Bun have is theirs to know: there it is an immediate.
function from_the_beginning(then) {
  if (name !== 'node') {
    timers.setImmediate(then);
  } else if (workers === null) {
    close_fresh_handle(then);
  } else {
    const { port1, port2 } = new workers.MessageChannel();
    port2.on('close', then);
    port2.ref();
    port1.close();
  }
}

// Hooks that watch every asynchronous resource, and a context that follows it.
function track_async(run) {
  const hook = async_hooks.createHook({ init() {}, before() {}, after() {}, destroy() {} }).enable();
  run.defer(() => hook.disable());
  if (async_hooks.AsyncLocalStorage === undefined) return;
  const storage = new async_hooks.AsyncLocalStorage();
  storage.enterWith({});
  run.defer(() => storage.disable());
}

const verbs = {
  tick: (run, step, entry) => process.nextTick(() => entry.fire()),
  microtask: (run, step, entry) => micro(() => entry.fire()),
  promise: (run, step, entry) => { Promise.resolve().then(() => entry.fire()); },
  immediate: (run, step, entry) => {
    if (step.promised) promises.immediate(run, step, entry);
    else entry.handle = timers.setImmediate(() => entry.fire());
  },
  timeout: (run, step, entry) => {
    if (step.promised) promises.timeout(run, step, entry);
    else entry.handle = timers.setTimeout(() => entry.fire(), step.ms);
  },
  interval: (run, step, entry) => { entry.handle = timers.setInterval(() => entry.fire(), step.ms); },
  work: (run, step, entry) => {
    const rounds = Math.max(1, Math.round(run.services.rounds_per_ms * step.ms));
    crypto.pbkdf2('password', 'salt', rounds, 64, 'sha512', (error) => entry.fire(error ? { status: 'error' } : {}));
  },
  lookup: (run, step, entry) =>
    dns.lookup(step.by_name ? 'localhost' : '127.0.0.1', { family: 4 },
      (error) => entry.fire(error ? { status: 'error' } : {})),
  fs_stat: files.fs_stat,
  fs_read: files.fs_read,
  fs_write: files.fs_write,
  fs_promise: files.fs_promise,
  wait_written: files.wait_written,
  close: (run, step, entry) => {
    if (step.on === undefined) close_fresh_handle(() => entry.fire());
    else streams.close(run, step, entry);
  },
  tcp_pair: streams.tcp_pair,
  connect: streams.connect,
  write: streams.write,
  read: streams.read,
  shutdown: streams.shutdown,
  read_stop: streams.read_stop,
  listen: things.listen,
  destroy: things.destroy,
  deferred: promises.deferred,
  resolve_promise: promises.resolve_promise,
  reject_promise: promises.reject_promise,
  react: promises.react,
  pass_through: promises.pass_through,
  await: promises.await,
  async_returning: promises.async_returning,
  writable: library_streams.writable,
  readable: library_streams.readable,
  pipeline: library_streams.pipeline,
  channel: channels.channel,
  broadcast: channels.broadcast,
  post: channels.post,
  worker: channels.worker,
  child: children.child,
  fork: children.fork,
  ipc_send: children.ipc_send,
  datagram: datagrams.datagram,
  datagram_send: datagrams.datagram_send,
  http_get: http.http_get,
  signal: signals.signal,
  raise: signals.raise,
  track_async,
  clear,
  refresh,
  ref: set_liveness('ref'),
  unref: set_liveness('unref'),
  busy: (run, step) => spin_until(process.hrtime.bigint() + BigInt(step.ms) * BigInt(1e6)),
  busy_until_overdue: (run, step) => {
    const entry = run.target(step.target);
    spin_until(BigInt(entry.started_ns) + BigInt(effective_ms(entry.step) + kOverdueMs) * BigInt(1e6));
  },
  throw: (run) => {
    run.failing = true;
    throw new ScenarioError();
  },
  exit: (run) => {
    run.end_all();
    process.exit(0);
  },
};

module.exports = { verbs, from_the_beginning };
