'use strict';
// The JavaScript player as the harness sees it: scenario file in, trace out. The orders expected here
// are those every supported Node shows; what the rules say of them is the oracle's business.

const assert = require('node:assert');
const { spawn, spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { after, test } = require('node:test');
const { start_peer } = require('./peer.cjs');

const kSubject = path.join(__dirname, '../../../baselines/node/main.cjs');
const kFolder = fs.mkdtempSync(path.join(os.tmpdir(), 'tickmark-player-'));
const kDeadlineMs = 60000;

after(() => fs.rmSync(kFolder, { recursive: true }));

// Plays a document: {code, err, records}.
function play(document, more = []) {
  const scenarios = path.join(kFolder, 'scenarios.json');
  const trace = path.join(kFolder, 'trace.ndjson');
  fs.writeFileSync(scenarios, JSON.stringify({ schema: 'tickmark.scenarios/1', kind: 'scenarios', ...document }));
  fs.rmSync(trace, { force: true });
  const args = [kSubject, 'play', '--scenarios', scenarios, '--trace', trace, ...more];
  const { status, stderr } = spawnSync(process.execPath, args, { timeout: kDeadlineMs, encoding: 'utf8' });
  const lines = fs.existsSync(trace) ? fs.readFileSync(trace, 'utf8').trim().split('\n') : [];
  return { code: status, err: stderr, records: lines.map((line) => JSON.parse(line)) };
}

// The records of each run.
function runs_of(records) {
  const runs = [];
  for (const record of records) {
    if (record.event === 'start') runs.push([]);
    runs.at(-1)?.push(record);
  }
  return runs;
}

function order_of(run) {
  return run.filter(({ event }) => event === 'begin').map(({ label }) => label).join(' ');
}

// Plays steps several times; every run is whole, and shows the order.
function check_order(name, steps, expected) {
  test(name, () => {
    const { code, err, records } = play({ pool: 1, repeat: 5, scenarios: [{ id: 'a/b', own_process: false,
      run: [{ mode: 'default' }], steps }] });
    assert.strictEqual(code, 0, err);
    const runs = runs_of(records);
    assert.strictEqual(runs.length, 5);
    for (const run of runs) {
      assert.strictEqual(order_of(run), expected);
      assert.deepStrictEqual(run.slice(-2).map(({ event }) => event), ['quiescent', 'finish']);
    }
  });
}

const tick = (label, then) => ({ verb: 'tick', label, then });
const immediate = (label, then) => ({ verb: 'immediate', label, then });
const timeout = (label, ms, then) => ({ verb: 'timeout', label, ms, then });
const overdue = (target) => ({ verb: 'busy_until_overdue', target });

check_order('ticks run before microtasks, whatever came first',
  [{ verb: 'microtask', label: 'm' }, tick('t', [tick('t2')]), { verb: 'promise', label: 'p' }], 'main t t2 m p');

check_order('a run begins where main does: timers come next, then check, then closing',
  [{ verb: 'close', label: 'c' }, immediate('i'), timeout('t', 1), overdue('t')], 'main t i c');

check_order('a fresh handle closes in the closing phase: after check, before timers',
  [immediate('a', [timeout('t', 1), immediate('i'), { verb: 'close', label: 'c', then: [tick('ct')] }, overdue('t')])],
  'main a c ct t i');

check_order('in a callback of the pool an immediate comes before any timer',
  [{ verb: 'fs_stat', label: 'f', then: [timeout('t', 1), overdue('t'), immediate('i')] }], 'main f i t');

check_order('a cleared sibling does not run, an interval runs its number of times',
  [timeout('a', 1, [{ verb: 'clear', target: 'b' }]), timeout('b', 1), { verb: 'interval', label: 'x', ms: 20, times: 3,
    at: { 3: [tick('last')] } }], 'main a x x x last');

check_order('a refreshed timer goes behind its peers',
  [timeout('a', 5), timeout('b', 5), { verb: 'refresh', target: 'a' }], 'main b a');

check_order('an unreferenced timer still runs while the loop is shared',
  [timeout('a', 1), { verb: 'unref', target: 'a' }], 'main a');

check_order('with one thread, pool work completes in order',
  [{ verb: 'work', label: 'a', ms: 3 }, { verb: 'fs_read', label: 'b' }, { verb: 'work', label: 'c', ms: 1 }],
  'main a b c');

check_order('writes report in order, then the shutdown, then the close',
  [{ verb: 'connect', label: 'k' }, { verb: 'write', label: 'w', on: 'k', bytes: 10 },
    { verb: 'write', label: 'v', on: 'k', bytes: 10 },
    { verb: 'shutdown', label: 's', on: 'k', then: [{ verb: 'close', label: 'c', on: 'k' }] }],
  'main k w v s c');

check_order('a socket destroyed while it connects, and a close of what is closed, hold nothing up',
  [{ verb: 'connect', label: 'silent' }, { verb: 'close', label: 'c', on: 'silent', then: [
    { verb: 'connect', label: 'k', refused: true, then: [
      { verb: 'tcp_pair', label: 'p', then: [{ verb: 'close', label: 'never', on: 'k' }] }] }] }],
  'main c k p');

test('every byte of a pair arrives, checked, before the end of the stream', () => {
  const { code, records } = play({ scenarios: [{ id: 'a/b', steps: [{ verb: 'tcp_pair', label: 'p', then: [
    { verb: 'read', label: 'r', on: 'p.server', eof: 'e' },
    { verb: 'write', label: 'w', on: 'p.client', bytes: 300000 },
    { verb: 'write', label: 'v', on: 'p.client', bytes: 7 },
    { verb: 'shutdown', label: 's', on: 'p.client' }] }] }] });
  assert.strictEqual(code, 0);
  const begins = records.filter(({ event }) => event === 'begin');
  const chunks = begins.filter(({ label }) => label === 'r');
  assert.strictEqual(chunks.reduce((sum, { bytes }) => sum + bytes, 0), 300007);
  assert.ok(chunks.every(({ status }) => status === undefined));
  const end = begins.findIndex(({ label }) => label === 'e');
  assert.ok(end > begins.findLastIndex(({ label }) => label === 'r'));
});

test('a refused connection says so', () => {
  const { records } = play({ scenarios: [{ id: 'a/b', steps: [{ verb: 'connect', label: 'k', refused: true }] }] });
  const [begin] = records.filter(({ event, label }) => event === 'begin' && label === 'k');
  assert.strictEqual(begin.status, 'refused');
});

// Local address and state (01: established, 0A: listening) of every socket with that port.
function sockets_at(port) {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  const rows = fs.readFileSync('/proc/net/tcp', 'utf8').matchAll(/: [0-9A-F]{8}:([0-9A-F]{4}) \S+ (\S\S) /g);
  return [...rows].filter(([, local]) => local === hex).map(([, , state]) => state);
}

test('the port that refuses is held, so that nobody else is given it', () => {
  const { peer_port, refused_port } = start_peer();
  assert.ok(sockets_at(peer_port).includes('0A'));
  assert.deepStrictEqual(sockets_at(refused_port), ['01']);
});

test('in a process of its own the steps run in the real main script, and the run ends with the loop', () => {
  const scenario = { id: 'a/b', own_process: true, steps: [timeout('never', 50), { verb: 'unref', target: 'never' },
    immediate('i'), tick('t')] };
  const { code, records } = play({ repeat: 1, scenarios: [scenario] });
  assert.strictEqual(code, 0);
  assert.strictEqual(order_of(records), 'main t i');
  assert.strictEqual(records.at(-1).status, 'ok');
});

test('of a callback that never returns, everything before it is in the trace', async () => {
  const scenarios = path.join(kFolder, 'hanging.json');
  const trace = path.join(kFolder, 'hanging.ndjson');
  fs.writeFileSync(scenarios, JSON.stringify({ schema: 'tickmark.scenarios/1', kind: 'scenarios', scenarios: [
    { id: 'a/b', steps: [timeout('a', 1, [{ verb: 'busy', ms: 3600000 }]), tick('t')] }] }));
  const player = spawn(process.execPath, [kSubject, 'play', '--scenarios', scenarios, '--trace', trace]);
  const written = () => (fs.existsSync(trace) ? fs.readFileSync(trace, 'utf8') : '').split('\n').slice(0, -1);
  const begun = (line) => line.includes('"begin"') && line.includes('"label":"a"');
  const end_ms = Date.now() + kDeadlineMs;
  while (!written().some(begun) && Date.now() < end_ms) await new Promise((then) => { setTimeout(then, 10); });
  player.kill('SIGKILL');
  const records = written().map((line) => JSON.parse(line));
  assert.strictEqual(order_of(records), 'main t a');
  assert.deepStrictEqual(records.slice(1, 3).map(({ event }) => event), ['start', 'begin']);
});

test('records carry what docs/traces.md asks for', () => {
  const { records } = play({ pool: 2, scenarios: [{ id: 'a/b', steps: [timeout('t', 3),
    { verb: 'clear', target: 't', label: 'cleared' }, immediate('i', [tick('k')])] }] });
  assert.deepStrictEqual(records[0], { event: 'trace', schema: 'tickmark.trace/1', player: 'node', pool: 2 });
  const find = (event, label) => records.find((record) => record.event === event && record.label === label);
  const { time_ns, after_ns, ...rest } = find('schedule', 't');
  assert.deepStrictEqual(rest, { event: 'schedule', label: 't', site: 'main', cause: 'timeout', ms: 3 });
  assert.ok(Number.isInteger(time_ns) && time_ns <= after_ns);
  assert.strictEqual(find('schedule', 'cleared').status, 'ok');
  assert.strictEqual(find('begin', 'k').site, 'i');
  assert.strictEqual(find('begin', 'main').site, '');
  const times = records.filter(({ event }) => event !== 'trace').map((record) => record.time_ns ?? 0);
  assert.deepStrictEqual(times.slice(0, -1), [...times.slice(0, -1)].sort((a, b) => a - b), 'in the order of time');
});

test('a cleared timer is watched past its deadline before the run is over', () => {
  const { records } = play({ scenarios: [{ id: 'a/b', steps: [timeout('t', 30), { verb: 'clear', target: 't' }] }] });
  const started = records.find(({ event, label }) => event === 'schedule' && label === 't').after_ns;
  const quiescent = records.find(({ event }) => event === 'quiescent').time_ns;
  assert.ok(quiescent >= started + 32e6);
});

test('what Node has no API for is unsupported, with the verb and a reason, and the rest is played', () => {
  const { code, records } = play({ scenarios: [
    { id: 'a/loop', steps: [immediate('i', [{ verb: 'idle', label: 'x' }])] },
    { id: 'a/once', run: [{ mode: 'once' }], steps: [tick('t')] },
    { id: 'a/fine', steps: [tick('t')] }] });
  assert.strictEqual(code, 0);
  const unsupported = records.filter(({ event }) => event === 'unsupported');
  const seen = unsupported.map(({ scenario, verb }) => [scenario, verb]);
  assert.deepStrictEqual(seen, [['a/loop', 'idle'], ['a/once', 'run']]);
  assert.ok(unsupported.every(({ reason }) => reason.length > 10));
  assert.strictEqual(order_of(records), 'main t');
});

test('what is wrong with a scenario file is said in one sentence', () => {
  for (const [document, word] of [
    [{ scenarios: [{ id: 'a/b', steps: [{ verb: 'dance', label: 'x' }] }] }, /dance/],
    [{ scenarios: [{ id: 'a/b', steps: [{ verb: 'tick', label: 'x', colour: 1 }] }] }, /colour/],
    [{ scenarios: [{ id: 'a/b', steps: [{ verb: 'clear', target: 'nobody' }] }] }, /nobody/],
    [{ scenarios: [], speed: 3 }, /speed/],
    [{ schema: 'tickmark.scenarios/9', scenarios: [] }, /tickmark\.scenarios\/9/],
    [{ kind: 'background', seed: 1 }, /background/],
  ]) {
    const { code, err } = play(document);
    assert.strictEqual(code, 2, err);
    assert.match(err, word);
    assert.strictEqual(err.trim().split('\n').length, 1);
  }
  const { code, err } = play({ scenarios: [] }, ['--mode', 'lisp']);
  assert.strictEqual(code, 2);
  assert.match(err, /--mode lisp is unknown; known: cjs, esm, worker/);
});

// The order of a scenario that has a process of its own, in a mode.
function order_alone(mode, steps) {
  const document = { repeat: 1, scenarios: [{ id: 'a/b', own_process: true, steps }] };
  const { code, err, records } = play(document, ['--mode', mode]);
  assert.strictEqual(code, 0, err);
  assert.strictEqual(records.at(-1).status, 'ok');
  const begun = records.filter(({ event }) => event === 'begin').map(({ label }) => label);
  assert.strictEqual(records.filter(({ event }) => event === 'end').length, begun.length, 'every callback ends');
  return begun.join(' ');
}

const listen = (label, event, then) => ({ verb: 'listen', label, event, then });
const fail = { verb: 'throw' };

test('main runs where the mode says: a script, a module, a worker', () => {
  const steps = [{ verb: 'microtask', label: 'm' }, tick('t')];
  assert.strictEqual(order_alone('cjs', steps), 'main t m');
  assert.strictEqual(order_alone('esm', steps), 'main m t');
  assert.strictEqual(order_alone('worker', steps), 'main t m');
});

test('a process that ends within a callback, or by an error, leaves a whole run', () => {
  const end = [listen('e', 'exit'), timeout('a', 1, [tick('never'), { verb: 'exit' }])];
  assert.strictEqual(order_alone('cjs', end), 'main a e');
  assert.strictEqual(order_alone('cjs', [listen('e', 'exit'), timeout('a', 1, [tick('never'), fail])]), 'main a e');
});

check_order('a step that throws ends its callback, and the handler is one',
  [listen('u', 'uncaughtException', [tick('ut')]), immediate('i', [tick('t'), fail]), immediate('j')],
  'main i u j t ut');

check_order('promises are settled by steps, and a rejection is heard of',
  [listen('n', 'unhandledRejection'), { verb: 'deferred', label: 'p' }, { verb: 'react', label: 'r', on: 'p' },
    { verb: 'resolve_promise', target: 'p' }, { verb: 'deferred', label: 'q' }, { verb: 'reject_promise', target: 'q' },
    { verb: 'await', label: 'w', on: 'p' }], 'main r w n');

check_order('with one thread, a byte that is written proves what was submitted before it',
  [immediate('i'), { verb: 'work', label: 'io', ms: 0 }, { verb: 'fs_write', label: 'mark' },
    { verb: 'wait_written', target: 'mark' }], 'main io mark i');

check_order('messages of a port are heard one by one, and its end',
  [{ verb: 'channel', label: 'c' }, { verb: 'listen', label: 'r', on: 'c.b', event: 'message' },
    { verb: 'listen', label: 'k', on: 'c.b', event: 'close' }, { verb: 'post', target: 'c.a', count: 2 },
    { verb: 'destroy', target: 'c.a' }], 'main r r k');

test('an event that never comes ends the run as it stands, and the scenario', () => {
  const { code, records } = play({ repeat: 3, scenarios: [
    { id: 'a/never', steps: [{ verb: 'channel', label: 'c' },
      { verb: 'listen', label: 'r', on: 'c.b', event: 'message' }] },
    { id: 'a/fine', steps: [tick('t')] }] });
  assert.strictEqual(code, 0);
  assert.deepStrictEqual(runs_of(records).map(order_of), ['main', 'main t', 'main t', 'main t']);
  assert.deepStrictEqual(runs_of(records).map((run) => run.at(-1).last), [true, undefined, undefined, undefined]);
});

test('the next run hears nothing of the last one', () => {
  const loud = { id: 'a/loud', steps: [listen('u', 'uncaughtException'), timeout('a', 1, [fail])] };
  const quiet = { id: 'a/quiet', steps: [timeout('a', 1, [fail])] };
  const { code, records } = play({ scenarios: [loud, quiet] });
  assert.strictEqual(code, 1, 'nobody handles the error of the second');
  assert.deepStrictEqual(runs_of(records).map(order_of), ['main a u', 'main a']);
  assert.notStrictEqual(records.at(-1).event, 'finish', 'it died in that run');
});

test('an error of the runtime\'s own code is a crash, no mistake of the scenario', () => {
  const steps = [listen('u', 'uncaughtException', [{ verb: 'clear', target: 'b' }]), immediate('a', [fail]),
    immediate('b'), immediate('c')];
  const { code, err, records } = play({ scenarios: [{ id: 'a/b', steps }] });
  if (code === 0) assert.strictEqual(order_of(records), 'main a u c', 'a Node that has mended it');
  else assert.match(`${code} ${err}`, /^7 [^]*TypeError/);
});
