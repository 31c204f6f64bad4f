'use strict';
// Reads a scenario file (docs/scenarios.md) and checks all of it before anything is played: what this
// player does not know is an error, what the runtime has no API for is `unsupported`, with a reason.

const { fs, process, name, title } = require('./runtime.cjs');
const { is_verb, has_callback, keys_of, lack_of } = require('./verb_table.cjs');

const kDefaultPool = 4;

// Ends the process: the scenario file is wrong, not the runtime. Safe in any callback.
function refuse(sentence) {
  fs.writeSync(2, `${name}: ${sentence}\n`);
  process.exit(2);
}

function check_keys(what, object, known) {
  for (const key of Object.keys(object)) {
    if (!known.includes(key)) refuse(`${what} has the unknown key '${key}'`);
  }
}

// Every step of a tree, depth first.
function all_steps(steps) {
  const found = [];
  for (const step of steps || []) {
    found.push(step, ...all_steps(step.then), ...all_steps(step.eof_then));
    for (const list of Object.values(step.at || {})) found.push(...all_steps(list));
  }
  return found;
}

function check_step(scenario, step) {
  if (!is_verb(step.verb)) refuse(`${scenario.id} uses the unknown verb '${step.verb}'`);
  check_keys(`${scenario.id}: ${step.verb}`, step, ['verb', 'label', 'then', 'at', ...keys_of(step.verb)]);
}

// {verb, reason} of the first thing in a scenario that cannot be done here; null if all can.
function unsupported_in(scenario, pool) {
  for (const turn of scenario.run || []) {
    if (Object.keys(turn).some((key) => key !== 'mode') || turn.mode !== 'default' || scenario.run.length > 1) {
      return { verb: 'run', reason: `${title} turns its loop once, to the end, by itself` };
    }
  }
  const steps = all_steps(scenario.steps);
  for (const step of steps) {
    const reason = lack_of(step.verb, pool);
    if (reason !== undefined) return { verb: step.verb, reason };
    if (step.verb === 'close' && step.on !== undefined) {
      const target = steps.find(({ label }) => label === step.on.split('.')[0]);
      if (target !== undefined && !['connect', 'tcp_pair', 'writable', 'readable'].includes(target.verb)) {
        return { verb: 'close', reason: `${title} cannot close a handle of the verb ${target.verb} with a callback` };
      }
    }
  }
  return null;
}

function parse(file) {
  try {
    return JSON.parse(fs.readFileSync(file, 'utf8'));
  } catch (error) {
    return refuse(`cannot read scenarios from '${file}': ${error.message}`);
  }
}

// The checked document; each scenario gets `unsupported`: null or {verb, reason}.
function read_scenarios(file) {
  const document = parse(file);
  if (document.schema !== 'tickmark.scenarios/1') {
    refuse(`'${file}' has the schema '${document.schema}', expected tickmark.scenarios/1`);
  }
  if (document.kind !== 'scenarios') {
    refuse(`kind '${document.kind}' is unsupported: ${title}'s loop writes no trace of its own`);
  }
  check_keys(`'${file}'`, document, ['schema', 'kind', 'pool', 'repeat', 'deadline_ms', 'connections',
    'scenarios']);
  if (document.pool === undefined) document.pool = kDefaultPool;
  if (document.repeat === undefined) document.repeat = 1;
  for (const scenario of document.scenarios) {
    check_keys(scenario.id, scenario, ['id', 'own_process', 'run', 'steps']);
    for (const step of all_steps(scenario.steps)) check_step(scenario, step);
    scenario.unsupported = unsupported_in(scenario, document.pool);
  }
  const alone = document.scenarios.some(({ own_process }) => own_process);
  if (alone && (document.scenarios.length > 1 || document.repeat > 1)) {
    refuse('a scenario marked own_process must stand alone, with repeat 1');
  }
  return document;
}

module.exports = { refuse, has_callback, all_steps, read_scenarios };
