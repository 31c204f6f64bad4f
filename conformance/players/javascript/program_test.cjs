'use strict';
// The player of random programs as the harness sees it: programs in, runs out. The orders expected here are those
// every supported Node shows.

const assert = require('node:assert');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { after, test } = require('node:test');

const kSubject = path.join(__dirname, '../../../baselines/node/main.cjs');
const kFolder = fs.mkdtempSync(path.join(os.tmpdir(), 'tickmark-programs-'));

after(() => fs.rmSync(kFolder, { recursive: true }));

// Plays programs: the runs by id, each {steps, times_us}.
function play(programs, slots = 1, deadline_ms = 2000) {
  const file = path.join(kFolder, 'programs.json');
  const trace = path.join(kFolder, 'runs.ndjson');
  fs.writeFileSync(file, JSON.stringify({ schema: 'tickmark.programs/1', slots, deadline_ms, programs }));
  const { status, stderr } = spawnSync(process.execPath, [kSubject, 'play', '--scenarios', file, '--trace', trace],
    { timeout: 60000, encoding: 'utf8' });
  assert.strictEqual(status, 0, stderr);
  const lines = fs.readFileSync(trace, 'utf8').trim().split('\n').map((line) => JSON.parse(line));
  assert.strictEqual(lines[0].schema, 'tickmark.runs/1');
  return new Map(lines.slice(1).map((run) => [run.program, run]));
}

const callback = (label) => label * 4;

test('callbacks are written in the order they begin, with times', () => {
  const steps = [{ do: 'immediate', label: 1, then: [{ do: 'tick', label: 4 }] }, { do: 'microtask', label: 2 },
    { do: 'tick', label: 3 }];
  const run = play([{ id: 9, steps }]).get(9);
  assert.deepStrictEqual(run.steps, [3, 2, 1, 4].map(callback));
  assert.strictEqual(run.times_us.length, 4);
  assert.ok(run.times_us.every((time, i) => i === 0 || time >= run.times_us[i - 1]));
});

test('every shape of a promise takes its jobs', () => {
  const steps = [{ do: 'async_return', label: 1 }, { do: 'thenable', label: 2 }, { do: 'await', label: 3 },
    { do: 'then', label: 4, count: 3 }, { do: 'then', label: 5 }];
  assert.deepStrictEqual(play([{ id: 1, steps }]).get(1).steps, [3, 5, 2, 1, 4].map(callback));
});

test('timers: cleared, refreshed, unreferenced, repeated', () => {
  const steps = [{ do: 'timeout', label: 1, ms: 2 }, { do: 'timeout', label: 2, ms: 2 },
    { do: 'refresh', label: 3, of: 1 },
    { do: 'timeout', label: 4, ms: 2 }, { do: 'clear', label: 5, of: 4 }, { do: 'timeout', label: 6, ms: 900 },
    { do: 'unref', label: 7, of: 6 }, { do: 'interval', label: 8, ms: 3, count: 2 }, { do: 'clear', label: 9, of: 10 },
    { do: 'immediate', label: 10 }];
  const run = play([{ id: 1, steps }]).get(1).steps.filter((step) => step !== callback(10));
  assert.deepStrictEqual(run, [2, 1, 8, 8].map(callback));
});

test('what comes through the pool and what closes comes back', () => {
  const steps = [{ do: 'fs', label: 1 }, { do: 'crypto', label: 2 }, { do: 'close', label: 3 }];
  assert.deepStrictEqual(play([{ id: 1, steps }]).get(1).steps.sort((a, b) => a - b), [1, 2, 3].map(callback));
});

test('errors and rejections are steps that name who threw', () => {
  const steps = [{ do: 'tick', label: 1, then: [{ do: 'throw', label: 3 }] },
    { do: 'then', label: 2, then: [{ do: 'throw', label: 4 }] }];
  const { steps: seen } = play([{ id: 1, steps }, { id: 2, steps: [{ do: 'tick', label: 1 }] }]).get(1);
  assert.deepStrictEqual(seen, [callback(1), callback(1) + 2, callback(2), callback(2) + 3]);
});

test('programs share their waiting', () => {
  const steps = (ms) => [{ do: 'timeout', label: 1, ms }];
  const runs = play([{ id: 0, steps: steps(1500) }, { id: 1, steps: steps(2) }, { id: 2, steps: steps(1) },
    { id: 3, steps: steps(4) }], 2, 5000);
  // The places 0 and 2 one after the other, and beside them 1 and 3.
  assert.ok(runs.get(3).times_us[0] < runs.get(0).times_us[0]);
  assert.ok(runs.get(0).times_us[0] < runs.get(2).times_us[0]);
});

test('a program that owes something for too long is over as it is, and the next one runs', () => {
  const waits = [{ do: 'immediate', label: 1 }, { do: 'timeout', label: 2, ms: 900 }];
  const runs = play([{ id: 0, steps: waits }, { id: 1, steps: [{ do: 'tick', label: 1 }] }], 1, 200);
  assert.deepStrictEqual(runs.get(0).steps, [callback(1)]);
  assert.deepStrictEqual(runs.get(1).steps, [callback(1)]);
});

test('what is no file of programs is refused in a sentence', () => {
  const file = path.join(kFolder, 'broken.json');
  fs.writeFileSync(file, '{"schema":"tickmark.programs/1",');
  const { status, stderr } = spawnSync(process.execPath,
    [kSubject, 'play', '--scenarios', file, '--trace', path.join(kFolder, 'x')], { encoding: 'utf8' });
  assert.strictEqual(status, 2);
  assert.match(stderr, /broken\.json/);
  assert.strictEqual(stderr.trim().split('\n').length, 1);
});
