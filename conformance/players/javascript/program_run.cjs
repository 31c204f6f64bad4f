'use strict';
// One random program under way: its actions, the order in which its callbacks begin, and what is still owed to it.

const { load } = require('./program_modules.cjs');

const crypto = load('crypto');
const fs = load('fs');
const process = load('process');
const timers = load('timers');

const kCallback = 0;
const kInside = 1;
const kUncaught = 2;
const kUnhandled = 3;

const fd = fs.openSync(__filename, 'r');
let depth = 0; // callbacks of programs on the stack

// Node 10 has none; one job either way.
const queue_microtask = typeof queueMicrotask === 'function' ? queueMicrotask :
  (job) => { Promise.resolve().then(job); };

function pass() {}

function close_fresh_handle(then) {
  const { MessageChannel } = load('worker_threads');
  const { port1 } = new MessageChannel();
  port1.on('close', then);
  port1.close();
}

async function await_then(callback) {
  await Promise.resolve();
  callback();
}

async function return_promise() {
  return Promise.resolve();
}

function now_us() {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1e6 + Math.floor(nanoseconds / 1e3);
}

function spin(ms) {
  const end = process.hrtime.bigint() + BigInt(ms) * 1000000n;
  while (process.hrtime.bigint() < end);
}

// What a callback throws: it names its thrower.
class Thrown extends Error {
  constructor(run, label) {
    super(`thrown by ${label}`);
    this.run = run;
    this.label = label;
  }
}

const kStart = {
  tick: (callback) => process.nextTick(callback),
  microtask: (callback) => queue_microtask(callback),
  then: (callback, step) => {
    let promise = Promise.resolve();
    for (let i = 1; i < (step.count || 1); i += 1) promise = promise.then(pass);
    promise.then(callback);
  },
  await: (callback) => { await_then(callback); },
  async_return: (callback) => { return_promise().then(callback); },
  thenable: (callback) => { new Promise((resolve) => { resolve({ then: (done) => done() }); }).then(callback); },
  timeout: (callback, step) => timers.setTimeout(callback, step.ms),
  interval: (callback, step) => timers.setInterval(callback, step.ms),
  immediate: (callback) => timers.setImmediate(callback),
  fs: (callback) => fs.fstat(fd, callback),
  crypto: (callback) => crypto.randomBytes(8, callback),
  close: (callback) => close_fresh_handle(callback),
};

// An action with a callback, once it was done.
class Entry {
  constructor(run, step) {
    this.run = run;
    this.step = step;
    this.is_timer = step.do === 'timeout' || step.do === 'interval';
    this.handle = null;
    this.calls = 0;
    this.owed = false;
    this.is_running = false;
    this.is_over = false; // cleared
    this.is_unreferenced = false;
  }

  // Whether a callback that keeps the program alive is still to come.
  owe(owed) {
    if (owed !== this.owed) this.run.owed_ += owed ? 1 : -1;
    this.owed = owed;
  }

  start() {
    this.owe(true);
    this.handle = kStart[this.step.do](() => this.call_back(), this.step);
  }

  call_back() {
    if (this.run.over_) return;
    this.run.note(this.step.label, depth > 0 ? kInside : kCallback);
    depth += 1;
    this.calls += 1;
    this.is_running = true;
    const repeats = this.step.do === 'interval';
    if (repeats && this.calls === (this.step.count || 1)) this.clear();
    if (!repeats) this.owe(false);
    try {
      if (this.calls === 1) this.run.do_body(this.step.label, this.step.then);
    } finally {
      this.is_running = false;
      depth -= 1;
      this.run.after_callback();
    }
  }

  clear() {
    if (this.step.do === 'immediate') timers.clearImmediate(this.handle);
    else timers.clearTimeout(this.handle);
    this.is_over = true;
    this.owe(false);
  }

  refresh() {
    if (this.is_over) return;
    this.handle.refresh();
    if (this.is_running && !this.is_unreferenced) this.owe(true);
  }

  unref() {
    if (this.is_over) return;
    this.handle.unref();
    this.is_unreferenced = true;
    this.owe(false);
  }
}

class ProgramRun {
  // `on_idle` is called whenever nothing is owed any more.
  constructor(program, on_idle) {
    this.program_ = program;
    this.on_idle_ = on_idle;
    this.steps_ = [];
    this.times_us_ = [];
    this.entries_ = new Map(); // by label
    this.owed_ = 0;
    this.over_ = false;
  }

  begin() {
    depth += 1;
    try {
      this.do_body(0, this.program_.steps);
    } finally {
      depth -= 1;
      this.after_callback();
    }
  }

  note(label, kind) {
    this.steps_.push(label * 4 + kind);
    this.times_us_.push(now_us());
  }

  do_body(label, body) {
    if (body === undefined) return;
    for (const step of body) {
      if (step.do === 'throw') throw new Thrown(this, label);
      else this.do_step_(step);
    }
  }

  do_step_(step) {
    if (step.do === 'block') {
      spin(step.ms);
    } else if (step.of === undefined) {
      const entry = new Entry(this, step);
      this.entries_.set(step.label, entry);
      entry.start();
    } else {
      const target = this.entries_.get(step.of);
      if (target !== undefined) target[step.do]();
    }
  }

  is_idle() {
    return this.owed_ === 0;
  }

  after_callback() {
    if (this.owed_ === 0) this.on_idle_(this);
  }

  // What is left is not to disturb others: timeouts that are not owed, and lists that have lost their last
  // unreferenced timeout. These stay, with the expiry they had, and would go before those of the next program.
  finish() {
    this.over_ = true;
    this.entries_.forEach((entry) => {
      if (!entry.is_timer) return;
      timers.clearTimeout(entry.handle);
      timers.clearTimeout(timers.setTimeout(pass, entry.step.ms));
    });
  }

  to_line() {
    return JSON.stringify({ program: this.program_.id, steps: this.steps_, times_us: this.times_us_ });
  }
}

function report(error, kind) {
  if (!(error instanceof Thrown)) {
    process.stderr.write(`node player: ${error && error.stack}\n`);
    process.exit(1);
  }
  if (!error.run.over_) error.run.note(error.label, kind);
  error.run.after_callback();
}

exports.watch_errors = () => {
  process.on('uncaughtException', (error) => report(error, kUncaught));
  process.on('unhandledRejection', (error) => report(error, kUnhandled));
};
exports.ProgramRun = ProgramRun;
