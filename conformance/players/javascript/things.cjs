'use strict';
// What a scenario makes and names: sockets, streams, ports, children, workers. And the verbs that every
// one of them takes: `listen` and `destroy`.

const { process } = require('./runtime.cjs');
const { ScenarioError } = require('./scenario_error.cjs');
const { refuse } = require('./scenario_file.cjs');

// A thing with events, behind one name of the scenario.
class Thing {
  // `ends_with` is the event after which it has nothing more to say; `destroy(error)` ends it.
  constructor(run, emitter, ends_with, destroy) {
    this.emitter = emitter;
    this.destroy = destroy;
    this.ended = false;
    this.owed_until_end = []; // entries that will hear nothing after that
    emitter.on('error', () => {}); // whoever wants to hear of it listens
    emitter.on(ends_with, () => {
      this.ended = true;
      this.release();
      run.after_callback();
    });
  }

  owe_until_end(entry) {
    if (this.ended) entry.owe(false);
    else this.owed_until_end.push(entry);
  }

  release() {
    this.owed_until_end.forEach((entry) => entry.owe(false));
  }
}

// Chunks carry bytes, messages their number; what comes out of order says so.
function event_details(thing, event, argument) {
  if (event === 'error') return { status: 'error' };
  if (event === 'data' && thing.is_expected) {
    return Object.assign({ bytes: argument.length }, thing.is_expected(argument) ? {} : { status: 'wrong_bytes' });
  }
  if (event === 'message' && thing.is_next) return thing.is_next(argument) ? {} : { status: 'wrong_bytes' };
  return {};
}

// An error of the runtime's own code: the frame that threw is none of a file.
function is_of_runtime(error) {
  const frame = String(error && error.stack).split('\n').find((line) => /^\s+at /.test(line));
  return frame !== undefined && /(\(|at )(node:internal|ext:|internal\/|timers\.js)/.test(frame);
}

// Events of the process itself: they come when they come, so nobody waits for them.
function listen_to_process(run, step, entry) {
  const alone = ['beforeExit', 'exit'].includes(step.event);
  if (alone && !run.scenario.own_process) {
    refuse(`${run.scenario.id}: '${step.event}' of the process needs own_process`);
  }
  entry.owe(false);
  const heard = (error) => {
    const ours = error instanceof ScenarioError || !['uncaughtException', 'unhandledRejection'].includes(step.event);
    if (!ours && is_of_runtime(error)) throw error; // ends the process: the run is a crash
    if (!ours) refuse(`${run.scenario.id}: an error that is not the scenario's: ${error && error.stack}`);
    entry.fire();
  };
  process.on(step.event, heard);
  run.defer(() => process.removeListener(step.event, heard));
  if (step.event === 'exit') run.services.wrap_up_last();
}

exports.Thing = Thing;

exports.listen = (run, step, entry) => {
  if (step.on === undefined) {
    listen_to_process(run, step, entry);
    return;
  }
  const thing = run.thing(step.on);
  thing.owe_until_end(entry);
  thing.emitter.on(step.event, (argument) => entry.fire(event_details(thing, step.event, argument)));
};

exports.destroy = (run, step) => {
  run.thing(step.target).destroy(step.error ? new ScenarioError() : undefined);
};

// Ends what a finished run has left; true if there was anything.
exports.clean_up = (run) => {
  const open = run.things().filter(({ ended, destroy }) => !ended && destroy !== undefined);
  open.forEach((thing) => thing.destroy());
  return open.length > 0;
};
