'use strict';
// `play --serve sockets`: the runs begin when all are connected, and what they send comes back meanwhile.

const assert = require('node:assert');
const { spawn } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const net = require('node:net');
const os = require('node:os');
const path = require('node:path');
const { test } = require('node:test');

const kSubject = path.join(__dirname, '../../../baselines/node/main.cjs');
const kConnections = 3;

function start(folder, more) {
  const scenarios = path.join(folder, 'scenarios.json');
  const trace = path.join(folder, 'trace.ndjson');
  fs.writeFileSync(scenarios, JSON.stringify({ schema: 'tickmark.scenarios/1', kind: 'scenarios', repeat: 4, ...more,
    scenarios: [{ id: 'a/b', steps: [{ verb: 'timeout', label: 't', ms: 20 }] }] }));
  const args = [kSubject, 'play', '--scenarios', scenarios, '--trace', trace, '--serve', 'sockets'];
  return { child: spawn(process.execPath, args), trace };
}

test('runs begin when so many are connected, and are played while they are served', async (t) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'tickmark-live-'));
  t.after(() => fs.rmSync(folder, { recursive: true }));
  const { child, trace } = start(folder, { connections: kConnections });
  const { ready } = JSON.parse((await once(child.stdout, 'data'))[0]);
  const runs = () => fs.readFileSync(trace, 'utf8').split('\n').filter((line) => line.includes('"finish"')).length;

  const early = net.connect(ready.port, ready.address);
  early.write('anyone?');
  assert.strictEqual(String((await once(early, 'data'))[0]), 'anyone?');
  assert.strictEqual(runs(), 0, 'one of three is connected');

  for (let i = 1; i < kConnections; i += 1) net.connect(ready.port, ready.address).on('error', () => {});
  early.write('now?');
  assert.strictEqual(String((await once(early, 'data'))[0]), 'now?');
  early.on('error', () => {});
  assert.strictEqual((await once(child, 'exit'))[0], 0);
  assert.strictEqual(runs(), 4);
});

test('without a number of connections it says what is missing', async (t) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'tickmark-live-'));
  t.after(() => fs.rmSync(folder, { recursive: true }));
  const { child } = start(folder, {});
  let err = '';
  child.stderr.on('data', (bytes) => { err += bytes; });
  assert.strictEqual((await once(child, 'close'))[0], 2);
  assert.match(err, /"connections"/);
});
