'use strict';
// One run of one scenario: its records, what is still owed to it, and the execution of its steps.

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
    if (this.run.over_) return; // the player's own cleaning up
    const begin = { event: 'begin', label: this.label, site: this.site, cause: this.cause, time_ns: now_ns(), ...more };
    this.run.records.push(begin);
    this.calls += 1;
    if (this.step.times === this.calls) {
      clearInterval(this.handle);
      this.lasting = false;
    }
    if (!this.lasting) this.owe(false);
    const steps = this.calls === 1 ? this.step.then : this.step.at?.[this.calls];
    if (steps !== undefined) this.run.execute(steps, this.label);
    this.run.records.push({ event: 'end', label: this.label, site: this.site, cause: this.cause, time_ns: now_ns() });
    this.run.after_callback();
  }
}

class Run {
  // `services` is what verbs share across runs (services.cjs); `on_idle` is called when nothing is owed.
  constructor(scenario, number, services, on_idle) {
    this.scenario = scenario;
    this.services = services;
    this.records = [{ event: 'start', scenario: scenario.id, run: number, time_ns: now_ns() }];
    this.number_ = number;
    this.entries_ = new Map();
    this.ends_ = new Map();
    this.owed_ = 0;
    this.quiet_after_ns_ = 0;
    this.over_ = false;
    this.on_idle_ = on_idle;
  }

  play_main() {
    const main = { label: 'main', site: '', cause: 'main' };
    this.records.push({ event: 'begin', ...main, time_ns: now_ns() });
    this.execute(this.scenario.steps, 'main');
    this.records.push({ event: 'end', ...main, time_ns: now_ns() });
    this.after_callback();
  }

  execute(steps, site) {
    for (const step of steps) {
      if (has_callback(step.verb)) this.schedule_(step, site);
      else this.call_(step, site);
    }
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
    record.status = verbs[step.verb](this, step) ?? 'ok';
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

  // Connection ends (streams.cjs), by handle name: `p.client`, or the label of a `connect`.
  add_end(name, end) {
    this.ends_.set(name, end);
  }

  end(name) {
    const end = this.ends_.get(name);
    if (end === undefined) {
      refuse(`${this.scenario.id}: a step names the connection '${name}', which does not exist yet`);
    }
    return end;
  }

  ends() {
    return this.ends_.values();
  }

  // A cleared timer's deadline must be seen to pass in silence.
  watch_until(due_ns) {
    this.quiet_after_ns_ = Math.max(this.quiet_after_ns_, due_ns + kGraceNs);
  }

  after_callback() {
    if (this.owed_ === 0) this.on_idle_(this);
  }

  is_idle() {
    return this.owed_ === 0;
  }

  // Milliseconds of silence still to wait for.
  quiet_for_ms() {
    return Math.max(0, Math.ceil((this.quiet_after_ns_ - now_ns()) / 1e6));
  }

  // The last records.
  finish() {
    this.over_ = true;
    this.records.push({ event: 'quiescent', time_ns: now_ns() });
    this.records.push({ event: 'finish', scenario: this.scenario.id, run: this.number_, status: 'ok' });
  }
}

module.exports = { Run, now_ns };
