'use strict';
// One run of one scenario: its records, what is still owed to it, and the execution of its steps.

const { process, timers } = require('./runtime.cjs');
const { verbs } = require('./verbs.cjs');
const { has_callback, refuse } = require('./scenario_file.cjs');

const kGraceNs = 2e6;

function now_ns() {
  return Number(process.hrtime.bigint());
}

// A label of the scenario while it is played.
class Entry {
  constructor(run, step, site) {
    this.run = run;
    this.step = step;
    this.label = step.label;
    this.cause = step.verb;
    this.site = site;
    this.calls = 0;
    this.owed = false;
    this.lasting = step.verb === 'interval'; // owed more than one callback
    this.cleared = false;
    this.handle = null; // what the runtime gave us for it
    this.started_ns = 0;
  }

  // Whether a callback is still to come.
  owe(owed) {
    if (owed !== this.owed) this.run.owed_ += owed ? 1 : -1;
    this.owed = owed;
  }

  // The callback. Everything a verb schedules comes through here.
  fire(more) {
    const { run, step } = this;
    if (run.over_) return; // the player's own cleaning up
    run.begin_(this, more);
    this.calls += 1;
    if (step.times === this.calls) {
      timers.clearInterval(this.handle);
      this.lasting = false;
    }
    if (!this.lasting) this.owe(false);
    try {
      const steps = this.calls === 1 ? step.then : step.at && step.at[this.calls];
      if (steps !== undefined) run.execute(steps, this.label);
    } finally { // the step `throw` leaves this way
      run.end_(this);
      run.after_callback();
    }
  }
}

class Run {
  // `services` is what verbs share across runs (services.cjs); `on_idle` is called when nothing is owed.
  constructor(scenario, number, services, on_idle) {
    this.scenario = scenario;
    this.services = services;
    this.records = [{ event: 'start', scenario: scenario.id, run: number, time_ns: now_ns() }];
    this.failing = false; // a step has thrown
    this.undo_ = []; // what to do when the run is over
    this.number_ = number;
    this.entries_ = new Map();
    this.things_ = new Map();
    this.open_ = [];
    this.owed_ = 0;
    this.quiet_after_ns_ = 0;
    this.over_ = false;
    this.written_ = 0; // so many records stand in the trace
    this.on_idle_ = on_idle;
  }

  play_main() {
    const main = { label: 'main', site: '', cause: 'main' };
    this.begin_(main);
    try {
      this.execute(this.scenario.steps, 'main');
    } finally {
      this.end_(main);
      this.after_callback();
    }
  }

  execute(steps, site) {
    for (const step of steps) {
      if (has_callback(step.verb)) this.schedule_(step, site);
      else this.call_(step, site);
    }
  }

  // `what` is an entry, or main.
  begin_(what, more) {
    const { label, site, cause } = what;
    this.open_.push(what);
    this.records.push(Object.assign({ event: 'begin', label, site, cause, time_ns: now_ns() }, more));
    // Should it never return, this much is known. Before it, every record is complete.
    if (this.open_.length === 1) this.write_out();
  }

  // Appends to the trace what is new.
  write_out() {
    this.services.trace.append(this.records.slice(this.written_));
    this.written_ = this.records.length;
  }

  end_({ label, site, cause }) {
    if (this.open_.pop() === undefined) return; // by end_all()
    this.records.push({ event: 'end', label, site, cause, time_ns: now_ns() });
  }

  // Ends the callbacks that are on the stack: the process ends, nothing returns to them.
  end_all() {
    while (this.open_.length > 0) this.end_(this.open_[this.open_.length - 1]);
  }

  // A verb with a callback. The record goes first: a callback inside the call would show after it.
  schedule_(step, site) {
    const entry = this.add_entry(step, site);
    const record = { event: 'schedule', label: step.label, site, cause: step.verb, time_ns: now_ns(), after_ns: 0 };
    if (step.ms !== undefined && step.verb !== 'work') record.ms = step.ms;
    this.records.push(record);
    entry.owe(true);
    verbs[step.verb](this, step, entry);
    record.after_ns = now_ns();
    entry.started_ns = record.after_ns;
  }

  // A verb without a callback.
  call_(step, site) {
    const record = { event: 'schedule', label: step.label, site, cause: step.verb, time_ns: now_ns(), after_ns: 0 };
    if (step.label !== undefined) this.records.push(record);
    record.status = verbs[step.verb](this, step) || 'ok';
    record.after_ns = now_ns();
  }

  add_entry(step, site) {
    const entry = new Entry(this, step, site);
    this.entries_.set(step.label, entry);
    return entry;
  }

  // The entry a step refers to.
  target(label) {
    const entry = this.entries_.get(label);
    if (entry === undefined) {
      refuse(`${this.scenario.id}: a step names '${label}', which nothing has scheduled in this run`);
    }
    return entry;
  }

  // Things (things.cjs), by name: `p.client`, or the label of the step that made it.
  add_thing(name, thing) {
    this.things_.set(name, thing);
    return thing;
  }

  thing(name) {
    const thing = this.things_.get(name);
    if (thing === undefined) {
      refuse(`${this.scenario.id}: a step names '${name}', which does not exist yet`);
    }
    return thing;
  }

  things() {
    return Array.from(this.things_.values());
  }

  // What is undone when the run is over.
  defer(undo) {
    this.undo_.push(undo);
  }

  undo_all() {
    this.undo_.forEach((undo) => undo());
  }

  // A cleared timer's deadline must be seen to pass in silence.
  watch_until(due_ns) {
    this.quiet_after_ns_ = Math.max(this.quiet_after_ns_, due_ns + kGraceNs);
  }

  after_callback() {
    if (this.owed_ === 0 && !this.over_) this.on_idle_(this);
  }

  is_idle() {
    return this.owed_ === 0;
  }

  // Milliseconds of silence still to wait for.
  quiet_for_ms() {
    return Math.max(0, Math.ceil((this.quiet_after_ns_ - now_ns()) / 1e6));
  }

  // The last records; `more` stands in the very last.
  finish(more) {
    this.end_all();
    this.over_ = true;
    this.records.push({ event: 'quiescent', time_ns: now_ns() });
    const { id } = this.scenario;
    this.records.push(Object.assign({ event: 'finish', scenario: id, run: this.number_, status: 'ok' }, more));
  }
}

module.exports = { Run, now_ns };
