'use strict';
// The JavaScript subjects as the harness sees them: processes, asked over real sockets. Every answer
// is compared with a value that was computed elsewhere (Python's hashlib and integers, RFC 7914), not
// by the code under test.

const assert = require('node:assert');
const { after, test } = require('node:test');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { Client, end_all, is_absent, run, start, stream_echo } = require('./subject_test_client.cjs');

after(end_all);

const kSubjects = ['node', 'node_cluster', 'deno', 'bun'];
const kWorkloads = ['cpu', 'crypto', 'fs', 'hello', 'sockets'];

const kPbkdf2 = '867f70cf1ade02cff3752599a3a53dc4af34c7a669815ae5d513554e1c8cf252' +
  'c02d470a285a0501bad999bfe943c08f050235d7d68b1da55e63f73b60a57fce';
const kScrypt = 'fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162' +
  '2eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640';

// [target, status, body]; a null body is not looked at.
const kAnswers = {
  hello: [
    ['/hello', 200, 'hello\n'],
    ['/hello?x=1', 200, 'hello\n'],
    ['/other', 404, null],
  ],
  crypto: [
    ['/crypto/pbkdf2?password=password&salt=salt&iterations=1&bytes=64', 200, kPbkdf2],
    ['/crypto/scrypt?password=password&salt=NaCl&n=1024&r=8&p=16&bytes=64', 200, kScrypt],
    ['/crypto/sha256?block=0', 200, 'bc9d1d01517351f3e2c02d32495b3bfbcba5ec54e5f1a44b06f51755d0086a01'],
    ['/crypto/sha256?block=7', 200, '796057759e9f4a8da1723b35b4bea2056e6192743a80555ece2fb5e90fbf838d'],
    ['/crypto/sha256?block=8', 400, null],
    ['/crypto/sha256', 400, null],
    ['/crypto/pbkdf2?password=p&salt=s&iterations=0&bytes=1', 400, null],
    ['/crypto/pbkdf2?password=p&salt=s&iterations=1x&bytes=1', 400, null],
    ['/crypto/scrypt?password=p&salt=s&n=1000&r=8&p=1&bytes=1', 400, null],
    ['/crypto/scrypt?password=p&salt=s&n=1048576&r=32&p=1&bytes=1', 500, null], // needs 4 GiB, may have 1
    ['/crypto/scrypt?password=p&salt=s&n=1048576&r=33&p=1&bytes=1', 400, null],
    ['/crypto/md5', 404, null],
  ],
  cpu: ['inline', 'offload'].flatMap((mode) => [
    [`/cpu/primes?below=100&mode=${mode}`, 200, '25'],
    [`/cpu/primes?below=10000&mode=${mode}`, 200, '1229'],
    [`/cpu/primes?below=2&mode=${mode}`, 200, '0'],
    [`/cpu/matmul?n=3&mode=${mode}`, 200, '400d100000000000'],
    [`/cpu/matmul?n=64&mode=${mode}`, 200, '40f7fdad20000000'],
    [`/cpu/matmul?n=100&mode=${mode}`, 200, '4116e142b8000000'],
    [`/cpu/primes?mode=${mode}`, 400, null],
    [`/cpu/matmul?n=0&mode=${mode}`, 400, null],
    [`/cpu/primes?below=-1&mode=${mode}`, 400, null],
    [`/cpu/other?n=1&mode=${mode}`, 404, null],
  ]).concat([['/cpu/primes?below=10', 400, null], ['/cpu/primes?below=10&mode=fast', 400, null]]),
};

async function check_answers(subject, workload) {
  const served = await start(subject, ['--workload', workload]);
  const client = await Client.connect(served.port);
  for (const [target, status, body] of kAnswers[workload]) {
    const reply = await client.ask('GET', target);
    assert.strictEqual(reply.status, status, `${target}: ${reply.body}`);
    if (body !== null) assert.strictEqual(reply.body.toString('latin1'), body, target);
    assert.deepStrictEqual(reply.header_names, ['content-length'], target);
  }
  client.close();
  const { code, final } = await served.stop();
  assert.strictEqual(code, 0);
  assert.strictEqual(final.requests, kAnswers[workload].length);
  assert.strictEqual(final.connections, 1);
}

for (const subject of kSubjects) {
  const skip = is_absent(subject);
  for (const workload of Object.keys(kAnswers)) {
    test(`${subject} answers ${workload} bit for bit`, { skip }, () => check_answers(subject, workload));
  }

  test(`${subject} reads, writes and measures files, and refuses names outside the root`, { skip }, async (t) => {
    const root = fs.mkdtempSync(path.join(os.tmpdir(), 'tickmark-js-'));
    t.after(() => fs.rmSync(root, { recursive: true }));
    const every_byte = Buffer.from(Array.from({ length: 4096 }, (_, i) => i % 256));
    fs.writeFileSync(path.join(root, 'a.bin'), every_byte);
    fs.mkdirSync(path.join(root, 'folder'));
    const served = await start(subject, ['--workload', 'fs', '--param', `root=${root}`]);
    const client = await Client.connect(served.port);
    const ask = async (method, target, body) => client.ask(method, target, body);

    assert.strictEqual((await ask('GET', '/fs/stat?file=a.bin')).body.toString(), '4096');
    assert.ok((await ask('GET', '/fs/read?file=a.bin')).body.equals(every_byte));
    for (const sync of ['', '&sync=1']) {
      const text = Buffer.from(`shorter${sync}`);
      const reply = await ask('POST', `/fs/write?file=b-${sync.length}${sync}`, text);
      assert.strictEqual(reply.body.toString(), String(text.length));
      assert.ok(fs.readFileSync(path.join(root, `b-${sync.length}`)).equals(text));
    }
    assert.strictEqual((await ask('POST', '/fs/write?file=a.bin', Buffer.from('x'))).body.toString(), '1');
    assert.strictEqual(fs.readFileSync(path.join(root, 'a.bin'), 'utf8'), 'x', 'replaced, not overwritten');
    assert.strictEqual((await ask('POST', '/fs/write?file=empty', Buffer.alloc(0))).body.toString(), '0');

    const strangers = ['', '..', '.hidden', '../a.bin', 'folder/x', '/etc/passwd', '%61.bin', 'x'.repeat(256)];
    for (const name of ['none', 'folder', ...strangers]) {
      for (const verb of ['stat', 'read']) {
        assert.strictEqual((await ask('GET', `/fs/${verb}?file=${name}`)).status, 404, `${verb} ${name}`);
      }
    }
    assert.strictEqual((await ask('GET', '/fs/stat')).status, 400);
    assert.strictEqual((await ask('GET', '/fs/write?file=a.bin')).status, 404);
    client.close();
    assert.strictEqual((await served.stop()).code, 0);
  });

  test(`${subject} echoes 4 MiB in order, finishes after the peer's half-close, and counts`, { skip }, async () => {
    const served = await start(subject, ['--workload', 'sockets']);
    const sent = Buffer.from(Array.from({ length: 4 << 20 }, (_, i) => (i * 31 + (i >> 8)) & 255));
    const replies = await Promise.all([1, 2, 3].map(() => stream_echo(served.port, sent)));
    for (const got of replies) assert.ok(got.equals(sent));
    const { code, final } = await served.stop();
    assert.strictEqual(code, 0);
    assert.strictEqual(final.connections, 3);
    assert.strictEqual(final.bytes, 3 * sent.length);
  });

  test(`${subject} answers pipelined requests in order, slow before fast`, { skip }, async () => {
    const served = await start(subject, ['--workload', 'cpu']);
    const client = await Client.connect(served.port);
    const replies = await Promise.all([
      client.ask('GET', '/cpu/primes?below=200000&mode=offload'),
      client.ask('GET', '/cpu/primes?below=10&mode=inline'),
      client.ask('GET', '/nowhere'),
      client.ask('GET', '/cpu/primes?below=100&mode=offload'),
    ]);
    assert.deepStrictEqual(replies.map((reply) => reply.status), [200, 200, 404, 200]);
    assert.deepStrictEqual([0, 1, 3].map((i) => replies[i].body.toString()), ['17984', '4', '25']);
    client.close();
    await served.stop();
  });

  test(`${subject} ends with 0 at SIGTERM, too, and with connections open`, { skip }, async () => {
    const served = await start(subject, ['--workload', 'hello']);
    const client = await Client.connect(served.port);
    await client.ask('GET', '/hello');
    const { code, final } = await served.stop('SIGTERM');
    assert.strictEqual(code, 0);
    assert.strictEqual(final.requests, 1);
    client.close();
  });

  test(`${subject} describes itself`, { skip }, async () => {
    const { code, out } = await run(subject, ['describe']);
    const said = JSON.parse(out);
    assert.strictEqual(code, 0);
    assert.strictEqual(said.name, subject);
    assert.deepStrictEqual(said.workloads, kWorkloads);
    if (subject.startsWith('node')) assert.strictEqual(said.versions.node, process.versions.node);
    else assert.match(said.versions[subject], /^[0-9]+\./);
    assert.strictEqual(said.options.pool, '4');
  });

  test(`${subject} refuses bad input with one sentence`, { skip }, async () => {
    const served = await start(subject, ['--workload', 'hello']);
    for (const [args, expected, word] of [
      [['serve', '--workload', 'dance'], 2, /dance/],
      [['serve'], 2, /--workload/],
      [['serve', '--workload', 'hello', '--option', 'speed=9'], 2, /speed/],
      [['serve', '--workload', 'hello', '--option', 'pool=0'], 2, /pool/],
      [['serve', '--workload', 'hello', '--param', 'colour=9'], 2, /colour/],
      [['serve', '--workload', 'hello', '--port', '70000'], 2, /70000/],
      [['serve', '--workload', 'fs'], 2, /root/],
      [['serve', '--workload', 'fs', '--param', 'root=/no/such/folder'], 2, /no\/such\/folder/],
      [['dance'], 2, /dance/],
      [['describe', '--loudly'], 2, /loudly/],
      [['serve', '--workload', 'hello', '--port', String(served.port)], 3, new RegExp(served.port)],
    ]) {
      const { code, out, err } = await run(subject, args);
      assert.strictEqual(code, expected, `${args}: ${err}`);
      assert.strictEqual(out, '', 'nothing on stdout');
      assert.match(err, word);
      assert.strictEqual(err.trim().split('\n').length, 1, err);
    }
    await served.stop();
  });
}

test('node_cluster serves from every worker, and says when one is lost', async () => {
  const [major] = process.versions.node.split('.').map(Number);
  for (const share of ['handoff', 'shared', ...(major >= 24 ? ['reuseport'] : [])]) {
    const served = await start('node_cluster', ['--workload', 'hello', '--option', `share=${share}`,
      '--option', 'workers=3']);
    assert.strictEqual(served.workers, 3);
    const clients = await Promise.all(Array.from({ length: 12 }, () => Client.connect(served.port)));
    for (const client of clients) assert.strictEqual((await client.ask('GET', '/hello')).status, 200);
    clients.forEach((client) => client.close());
    const { final } = await served.stop();
    assert.strictEqual(final.requests, 12);
    assert.strictEqual(final.workers_heard, 3);
  }
  const served = await start('node_cluster', ['--workload', 'hello']);
  const children = fs.readFileSync(`/proc/${served.pid}/task/${served.pid}/children`, 'utf8').trim().split(' ');
  process.kill(Number(children[0]), 'SIGKILL');
  const { code, err } = await served.ended;
  assert.strictEqual(code, 1);
  assert.match(err, new RegExp(`worker ${children[0]} ended \\(SIGKILL\\)`));
});
