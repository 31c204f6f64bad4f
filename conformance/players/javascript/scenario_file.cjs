'use strict';
// Reads a scenario file (docs/scenarios.md) and checks all of it before anything is played: what this
// player does not know is an error, what the runtime has no API for is `unsupported`, with a reason.

const fs = require('node:fs');

const kNoPhase = 'Node has no API for a callback in this phase of the loop';
const kLoopLayer = "an operation of the loop layer: Node's JavaScript has no API for it";

// Keys each verb takes besides verb, label, then, at; `unsupported` gives the reason.
const kVerbs = {
  tick: { keys: [] },
  microtask: { keys: [] },
  promise: { keys: [] },
  immediate: { keys: [] },
  timeout: { keys: ['ms'] },
  interval: { keys: ['ms', 'times'] },
  work: { keys: ['ms'] },
  fs_stat: { keys: [] },
  fs_read: { keys: [] },
  close: { keys: ['on'] },
  tcp_pair: { keys: [] },
  connect: { keys: ['refused'] },
  write: { keys: ['on', 'bytes'] },
  read: { keys: ['on', 'eof', 'eof_then'] },
  shutdown: { keys: ['on'] },
  timer: { keys: ['ms', 'repeat_ms', 'times', 'started'], unsupported: "Node's timers are setTimeout and setInterval" },
  idle: { keys: ['times'], unsupported: kNoPhase },
  prepare: { keys: ['times'], unsupported: kNoPhase },
  check: { keys: ['times'], unsupported: kNoPhase },
  async: { keys: [], unsupported: kLoopLayer },
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
  cancel: { keys: ['target'], unsupported: 'Node cannot cancel work that its pool has accepted' },
  wait_started: { keys: ['target'], unsupported: 'Node does not tell when its pool begins a piece of work' },
};

const kCalls = ['clear', 'refresh', 'restart', 'again', 'ref', 'unref', 'cancel', 'send', 'read_stop', 'busy',
  'busy_until_overdue', 'wait_started', 'stop_loop'];

// Ends the process: the scenario file is wrong, not the runtime. Safe in any callback.
function refuse(sentence) {
  fs.writeSync(2, `node: ${sentence}\n`);
  process.exit(2);
}

function check_keys(what, object, known) {
  for (const key of Object.keys(object)) {
    if (!known.includes(key)) refuse(`${what} has the unknown key '${key}'`);
  }
}

// Whether a verb's label names a callback; the labels of the others name the call itself.
function has_callback(verb) {
  return !kCalls.includes(verb);
}

// Walks every step of a tree, depth first.
function* all_steps(steps) {
  for (const step of steps) {
    yield step;
    yield* all_steps(step.then ?? []);
    yield* all_steps(step.eof_then ?? []);
    for (const list of Object.values(step.at ?? {})) yield* all_steps(list);
  }
}

function check_step(scenario, step) {
  const verb = Object.hasOwn(kVerbs, step.verb) ? kVerbs[step.verb] : undefined;
  if (verb === undefined) refuse(`${scenario.id} uses the unknown verb '${step.verb}'`);
  check_keys(`${scenario.id}: ${step.verb}`, step, ['verb', 'label', 'then', 'at', ...verb.keys]);
}

// {verb, reason} of the first thing in a scenario that Node cannot do; null if it can do all.
function unsupported_in(scenario) {
  for (const turn of scenario.run ?? []) {
    if (Object.keys(turn).some((key) => key !== 'mode') || turn.mode !== 'default' || scenario.run.length > 1) {
      return { verb: 'run', reason: 'Node turns its loop once, to the end, by itself' };
    }
  }
  for (const step of all_steps(scenario.steps)) {
    const reason = kVerbs[step.verb].unsupported;
    if (reason !== undefined) return { verb: step.verb, reason };
    if (step.verb === 'close' && step.on !== undefined) {
      const target = [...all_steps(scenario.steps)].find(({ label }) => label === step.on.split('.')[0]);
      if (target !== undefined && !['connect', 'tcp_pair'].includes(target.verb)) {
        return { verb: 'close', reason: `Node cannot close a handle of the verb ${target.verb} with a callback` };
      }
    }
  }
  return null;
}

// The checked document; each scenario gets `unsupported`: null or {verb, reason}.
function read_scenarios(file) {
  let document;
  try {
    document = JSON.parse(fs.readFileSync(file, 'utf8'));
  } catch (error) {
    refuse(`cannot read scenarios from '${file}': ${error.message}`);
  }
  if (document.schema !== 'tickmark.scenarios/1') {
    refuse(`'${file}' has the schema '${document.schema}', expected tickmark.scenarios/1`);
  }
  if (document.kind !== 'scenarios') {
    refuse(`kind '${document.kind}' is unsupported: Node's loop writes no trace of its own`);
  }
  check_keys(`'${file}'`, document, ['schema', 'kind', 'pool', 'repeat', 'deadline_ms', 'scenarios']);
  for (const scenario of document.scenarios) {
    check_keys(scenario.id, scenario, ['id', 'own_process', 'run', 'steps']);
    for (const step of all_steps(scenario.steps)) check_step(scenario, step);
    scenario.unsupported = unsupported_in(scenario);
  }
  const alone = document.scenarios.some(({ own_process }) => own_process);
  if (alone && (document.scenarios.length > 1 || document.repeat > 1)) {
    refuse('a scenario marked own_process must stand alone, with repeat 1');
  }
  return document;
}

module.exports = { refuse, has_callback, all_steps, read_scenarios };
