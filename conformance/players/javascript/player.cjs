'use strict';
// Plays conformance scenarios through Node's own API (docs/scenarios.md) and writes what happened
// (docs/traces.md). It knows verbs, not rules. Nothing of it is registered with the loop while a run is
// under way, but for a message port that keeps the process alive between and during shared runs.

const crypto = require('node:crypto');
const fs = require('node:fs');
const { MessageChannel } = require('node:worker_threads');
const { all_steps, read_scenarios, refuse } = require('./scenario_file.cjs');
const { Run } = require('./run.cjs');
const { close_fresh_handle } = require('./verbs.cjs');
const { clean_up } = require('./streams.cjs');
const { start_peer } = require('./peer.cjs');

// Turns of the loop after the last callback, in which one that must not come would show; the first
// check phase still belongs to the turn of that callback.
const kFurtherChecks = 3;

const kCalibrationRounds = 2000;

// pbkdf2 rounds that take a millisecond here: the best of three, so that a disturbance does not count.
function calibrate() {
  let best_ms = Infinity;
  for (let i = 0; i < 3; i += 1) {
    const start = process.hrtime.bigint();
    crypto.pbkdf2Sync('password', 'salt', kCalibrationRounds, 64, 'sha512');
    best_ms = Math.min(best_ms, Number(process.hrtime.bigint() - start) / 1e6);
  }
  return kCalibrationRounds / best_ms;
}

// What the verbs share; only what the scenarios need is prepared.
function prepare(file, document) {
  const used = new Set();
  for (const { steps } of document.scenarios) {
    for (const { verb } of all_steps(steps)) used.add(verb);
  }
  return {
    file,
    fd: fs.openSync(file, 'r'),
    rounds_per_ms: used.has('work') ? calibrate() : 0,
    ...(used.has('connect') && start_peer()),
  };
}

class Trace {
  constructor(file) {
    this.fd_ = fs.openSync(file, 'w');
  }

  // Appends synchronously: a crash loses only the run in flight.
  append(records) {
    fs.writeFileSync(this.fd_, records.map((record) => `${JSON.stringify(record)}\n`).join(''));
  }
}

// Many runs, one after the other, in one process: each begins where a main script would, in a callback
// of the closing phase, after which timers come first, then poll, then check.
class SharedLoop {
  constructor(document, services, trace) {
    this.services_ = services;
    this.trace_ = trace;
    this.left_ = document.scenarios.flatMap((scenario) =>
      Array.from({ length: document.repeat ?? 1 }, (_, number) => ({ scenario, number })));
    this.keep_alive_ = new MessageChannel();
    this.keep_alive_.port1.on('message', () => {});
  }

  next() {
    const what = this.left_.shift();
    if (what === undefined) process.exit(0);
    close_fresh_handle(() => {
      this.settling_ = false;
      const run = new Run(what.scenario, what.number, this.services_, () => this.settle_(run));
      run.play_main();
    });
  }

  // Nothing is owed any more: watches in silence before the run is called quiescent.
  settle_(run) {
    if (this.settling_) return;
    this.settling_ = true;
    const check = (left) => {
      if (!run.is_idle()) this.settling_ = false; // a callback came after all, and brought others
      else if (left > 0) setImmediate(check, left - 1);
      else if (run.quiet_for_ms() > 0) setTimeout(check, run.quiet_for_ms(), kFurtherChecks);
      else this.finish_(run);
    };
    check(kFurtherChecks);
  }

  finish_(run) {
    run.finish();
    this.trace_.append(run.records);
    if (clean_up(run)) setImmediate(() => this.next());
    else this.next();
  }
}

// One run in the real main script; it ends with the process, when the loop has nothing left to do.
function play_alone(scenario, services, trace) {
  const run = new Run(scenario, 0, services, () => {});
  process.on('exit', (code) => {
    if (code === 0) run.finish();
    trace.append(run.records);
  });
  run.play_main();
}

// `parsed`: the command line, {scenarios, trace, mode?, serve?}.
exports.play = (parsed) => {
  if (!parsed.scenarios || !parsed.trace) refuse('play needs --scenarios FILE and --trace FILE');
  if ((parsed.mode ?? 'cjs') !== 'cjs') refuse(`--mode ${parsed.mode} is unsupported here; the player knows cjs`);
  if (parsed.serve !== undefined) refuse('play --serve is unsupported: Node\'s loop writes no trace of its own');
  const document = read_scenarios(parsed.scenarios);
  process.env.UV_THREADPOOL_SIZE = String(document.pool ?? 4); // read when the pool first runs
  const trace = new Trace(parsed.trace);
  trace.append([{ event: 'trace', schema: 'tickmark.trace/1', player: 'node', pool: document.pool ?? 4 }]);

  const unsupported = document.scenarios.filter((scenario) => scenario.unsupported !== null);
  trace.append(unsupported.map(({ id, unsupported: { verb, reason } }) =>
    ({ event: 'unsupported', scenario: id, verb, reason })));
  document.scenarios = document.scenarios.filter((scenario) => scenario.unsupported === null);
  if (document.scenarios.length === 0) return;

  const services = prepare(parsed.scenarios, document);
  if (document.scenarios[0].own_process) play_alone(document.scenarios[0], services, trace);
  else new SharedLoop(document, services, trace).next();
};
