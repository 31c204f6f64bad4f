'use strict';
// Plays conformance scenarios through the runtime's own API (docs/scenarios.md) and writes what happened
// (docs/traces.md). It knows verbs, not rules. Nothing of it is registered with the loop while a run is
// under way, but for a message port that keeps the process alive between and during shared runs, and a
// timer that looks twice a second whether a run goes on.

const path = require('path');
const { fs, name, process, timers, title, workers } = require('./runtime.cjs');
const { read_scenarios, refuse } = require('./scenario_file.cjs');
const { Run } = require('./run.cjs');
const { from_the_beginning } = require('./verbs.cjs');
const { prepare } = require('./services.cjs');
const { clean_up } = require('./things.cjs');
const { is_program_file, play_programs } = require('./program.cjs');

// Turns of the loop after the last callback, in which one that must not come would show; the first
// check phase still belongs to the turn of that callback.
const kFurtherChecks = 3;

// So many looks at a run that has written nothing since, and what is owed to it will not come.
const kPatienceLooks = 6;
const kLookMs = 500;

class Trace {
  constructor(file) {
    this.fd_ = fs.openSync(file, 'w');
  }

  // Appends synchronously: a crash or a hang loses at most the callback in flight.
  append(records) {
    const bytes = Buffer.from(records.map((record) => `${JSON.stringify(record)}\n`).join(''));
    for (let at = 0; at < bytes.length;) at += fs.writeSync(this.fd_, bytes, at);
  }
}

// Keeps the loop alive without doing anything.
function keep_alive() {
  if (workers === null) return timers.setInterval(() => {}, 1 << 30);
  const channel = new workers.MessageChannel();
  channel.port1.on('message', () => {});
  return channel;
}

// Many runs, one after the other, in one process.
class SharedLoop {
  constructor(scenarios, repeat, services) {
    this.services_ = services;
    this.left_ = [];
    for (const scenario of scenarios) {
      for (let number = 0; number < repeat; number += 1) this.left_.push({ scenario, number });
    }
    this.keep_alive_ = keep_alive();
    this.watcher_ = timers.setInterval(() => this.look_(), kLookMs);
    this.run_ = null;
  }

  next() {
    const what = this.left_.shift();
    if (what === undefined) process.exit(0);
    from_the_beginning(() => {
      this.settling_ = false;
      this.looks_ = 0;
      this.seen_ = 0;
      const run = new Run(what.scenario, what.number, this.services_, () => this.settle_(run));
      this.run_ = run;
      run.play_main();
    });
  }

  // A run that is owed something which never comes: the rule will say what. Once is enough.
  look_() {
    const run = this.run_;
    if (run === null) return;
    if (run.records.length !== this.seen_) this.looks_ = 0;
    this.seen_ = run.records.length;
    this.looks_ += 1;
    if (this.looks_ <= kPatienceLooks || run.is_idle()) return;
    this.left_ = this.left_.filter(({ scenario }) => scenario !== run.scenario);
    this.finish_(run, { last: true });
  }

  // Nothing is owed any more: watches in silence before the run is called quiescent.
  settle_(run) {
    if (this.settling_) return;
    this.settling_ = true;
    const check = (left) => {
      if (this.run_ !== run) return; // given up meanwhile
      if (!run.is_idle()) this.settling_ = false; // a callback came after all, and brought others
      else if (left > 0) timers.setImmediate(check, left - 1);
      else if (run.quiet_for_ms() > 0) timers.setTimeout(check, run.quiet_for_ms(), kFurtherChecks);
      else this.finish_(run);
    };
    check(kFurtherChecks);
  }

  finish_(run, more) {
    this.run_ = null;
    run.finish(more);
    run.write_out();
    run.undo_all();
    if (clean_up(run)) timers.setImmediate(() => this.next());
    else this.next();
  }
}

// One run in the real main script; it ends with the process, when the loop has nothing left to do.
function play_alone(scenario, services) {
  const run = new Run(scenario, 0, services, () => {});
  const wrap_up = (code) => {
    if (code === 0 || run.failing) run.finish();
    run.write_out();
    if (code !== 0 && run.failing) process.reallyExit(0); // it ended as the scenario says
  };
  services.wrap_up_last = () => process.removeListener('exit', wrap_up).on('exit', wrap_up);
  services.wrap_up_last();
  run.play_main();
}

// Plays at once, or when those are connected who are to be served meanwhile.
function starter(serve) {
  return (document, play) => {
    if (serve === undefined) return play();
    if (!(document.connections > 0)) refuse('play --serve needs "connections" in the scenario file');
    return require('./live_sockets.cjs').serve_beside(serve, document.connections, play);
  };
}

// Prepares everything: `play_main` plays, or `lack(reason)` says of each scenario why it cannot be.
function load_scenarios(parsed) {
  const document = read_scenarios(parsed.scenarios);
  const begin = starter(parsed.serve);
  process.env.UV_THREADPOOL_SIZE = String(document.pool); // read when the pool first runs
  const trace = new Trace(parsed.trace);
  trace.append([{ event: 'trace', schema: 'tickmark.trace/1', player: name, pool: document.pool }]);
  const say_unsupported = (scenarios) => trace.append(scenarios.map(({ id, unsupported: { verb, reason } }) =>
    ({ event: 'unsupported', scenario: id, verb, reason })));
  say_unsupported(document.scenarios.filter(({ unsupported }) => unsupported !== null));
  const scenarios = document.scenarios.filter(({ unsupported }) => unsupported === null);
  const services = Object.assign({ trace }, prepare(parsed.scenarios, parsed.trace, scenarios));
  return {
    lack: (reason) => say_unsupported(scenarios.map(({ id }) => ({ id, unsupported: { verb: 'main', reason } }))),
    play_main: () => {
      if (scenarios.length === 0) return;
      if (scenarios[0].own_process) play_alone(scenarios[0], services);
      else begin(document, () => new SharedLoop(scenarios, document.repeat, services).next());
    },
  };
}

function play_in_worker(parsed) {
  if (workers === null) {
    load_scenarios(parsed).lack(`this ${title} has no worker threads`);
    return;
  }
  const worker = new workers.Worker(path.join(__dirname, 'worker_main.cjs'), { workerData: parsed });
  worker.on('error', (error) => { throw error; });
  worker.on('exit', (code) => process.exit(code));
}

function play_in_module(parsed) {
  const loaded = load_scenarios(parsed);
  exports.play_main = loaded.play_main;
  import('./module_main.mjs').catch((error) => {
    if (/Not supported|ERR_UNKNOWN_FILE_EXTENSION/.test(`${error.code} ${error.message}`)) {
      loaded.lack(`this ${title} has no ECMAScript modules`);
    } else {
      timers.setImmediate(() => { throw error; });
    }
  });
}

const kModes = {
  cjs: (parsed) => load_scenarios(parsed).play_main(),
  esm: play_in_module,
  worker: play_in_worker,
};

// `parsed`: the command line, {scenarios, trace, mode?, serve?}.
exports.play = (parsed) => {
  if (!parsed.scenarios || !parsed.trace) refuse('play needs --scenarios FILE and --trace FILE');
  if (is_program_file(parsed.scenarios)) {
    play_programs(parsed);
    return;
  }
  if (parsed.serve !== undefined && parsed.serve !== 'sockets') refuse(`play --serve ${parsed.serve}: only sockets`);
  process.removeAllListeners('warning'); // what a scenario does on purpose needs no words on stderr
  const mode = parsed.mode === undefined ? 'cjs' : parsed.mode;
  const known = Object.keys(kModes);
  if (!known.includes(mode)) refuse(`--mode ${mode} is unknown; known: ${known.join(', ')}`);
  kModes[mode](parsed);
};
