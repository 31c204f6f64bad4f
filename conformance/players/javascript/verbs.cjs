'use strict';
// What each verb of docs/scenarios.md is in Node. A verb with a callback gets (run, step, entry) and
// sees to it that entry.fire() becomes the callback; a verb without one gets (run, step) and returns
// its status, or nothing for `ok`.

const crypto = require('node:crypto');
const fs = require('node:fs');
const { MessageChannel } = require('node:worker_threads');
const streams = require('./streams.cjs');

const kOverdueMs = 2;

function spin_until(due_ns) {
  while (process.hrtime.bigint() < due_ns);
}

// Node makes every delay below 1 ms 1 ms.
function effective_ms(step) {
  return Math.max(1, step.ms);
}

function fire_result(entry) {
  return (error) => entry.fire(error ? { status: 'error' } : undefined);
}

function clear(run, step) {
  const entry = run.target(step.target);
  const clears = { timeout: clearTimeout, interval: clearInterval, immediate: clearImmediate };
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
  if (typeof entry.handle?.refresh !== 'function') return 'invalid';
  entry.handle.refresh();
  entry.started_ns = Number(process.hrtime.bigint());
  entry.owe(!entry.cleared);
  return 'ok';
}

function set_liveness(name) {
  return (run, step) => {
    const { handle } = run.target(step.target);
    if (typeof handle?.[name] !== 'function') return 'invalid';
    handle[name]();
    return 'ok';
  };
}

// A handle of our own, whose close callback runs in the loop's closing phase: a message port is the one
// Node lets us make and close in one go. (A server's or a timer's `close` event is only a tick.)
function close_fresh_handle(then) {
  const { port1 } = new MessageChannel();
  port1.on('close', then);
  port1.close();
}

const verbs = {
  tick: (run, step, entry) => process.nextTick(() => entry.fire()),
  microtask: (run, step, entry) => queueMicrotask(() => entry.fire()),
  promise: (run, step, entry) => { Promise.resolve().then(() => entry.fire()); },
  immediate: (run, step, entry) => { entry.handle = setImmediate(() => entry.fire()); },
  timeout: (run, step, entry) => { entry.handle = setTimeout(() => entry.fire(), step.ms); },
  interval: (run, step, entry) => { entry.handle = setInterval(() => entry.fire(), step.ms); },
  work: (run, step, entry) => {
    const rounds = run.services.rounds_per_ms * step.ms;
    crypto.pbkdf2('password', 'salt', Math.max(1, Math.round(rounds)), 64, 'sha512', fire_result(entry));
  },
  fs_stat: (run, step, entry) => fs.stat(run.services.file, fire_result(entry)),
  fs_read: (run, step, entry) =>
    fs.read(run.services.fd, Buffer.alloc(4096), 0, 4096, 0, fire_result(entry)),
  close: (run, step, entry) => {
    if (step.on === undefined) close_fresh_handle(() => entry.fire());
    else streams.close(run, step, entry);
  },
  tcp_pair: streams.tcp_pair,
  connect: streams.connect,
  write: streams.write,
  read: streams.read,
  shutdown: streams.shutdown,
  read_stop: (run, step) => streams.read_stop(run, step),
  clear,
  refresh,
  ref: set_liveness('ref'),
  unref: set_liveness('unref'),
  busy: (run, step) => spin_until(process.hrtime.bigint() + BigInt(step.ms) * 1000000n),
  busy_until_overdue: (run, step) => {
    const entry = run.target(step.target);
    spin_until(BigInt(entry.started_ns) + BigInt(effective_ms(entry.step) + kOverdueMs) * 1000000n);
  },
};

module.exports = { verbs, close_fresh_handle };
