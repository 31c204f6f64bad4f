'use strict';
// What subject_test.cjs asks with: subject processes, and clients that read bytes off the wire
// themselves, so that no HTTP library of the runtime hides a header or repairs a reply.

const { spawn } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const net = require('node:net');
const path = require('node:path');

const kRoot = path.join(__dirname, '..', '..', '..');
const kDeadlineMs = 60000;

const launched = new Set();

// Subjects on a fetched runtime: how their subject.yaml starts the program of subject node.
const kFetched = {
  deno: ['runtimes/deno-2/deno', 'run', '--allow-all', '--no-config', '--no-lock', '--quiet'],
  bun: ['runtimes/bun-1/bin/bun', '--no-install'],
};

function command_of(subject) {
  if (kFetched[subject] === undefined) return [process.execPath, path.join(kRoot, 'baselines', subject, 'main.cjs')];
  const [program, ...flags] = kFetched[subject];
  return [path.join(kRoot, program), ...flags, path.join(kRoot, 'baselines/node/main.cjs')];
}

// Why a subject cannot be asked here, or false.
exports.is_absent = (subject) => !fs.existsSync(command_of(subject)[0]) &&
  `scripts/fetch-runtimes ${kFetched[subject][0].split('/')[1].replace('-', '@')}`;

function launch(subject, args) {
  const [program, ...before] = command_of(subject);
  const child = spawn(program, [...before, ...args]);
  let out = '';
  let err = '';
  child.stdout.on('data', (bytes) => { out += bytes; });
  child.stderr.on('data', (bytes) => { err += bytes; });
  const timer = setTimeout(() => child.kill('SIGKILL'), kDeadlineMs);
  launched.add(child);
  const ended = once(child, 'close').then(([code]) => {
    clearTimeout(timer);
    launched.delete(child);
    return { code, out, err };
  });
  return { child, ended };
}

// Ends what a failed test has left behind: its stdin closes, as when a harness dies.
exports.end_all = () => launched.forEach((child) => child.stdin.end());

// Runs a subject to its end: {code, out, err}.
exports.run = (subject, args) => launch(subject, args).ended;

// A serving subject: {port, pid, workers, ended, stop(signal?) -> {code, out, err, final}}.
exports.start = async (subject, args) => {
  const { child, ended } = launch(subject, ['serve', ...args]);
  const first = await Promise.race([once(child.stdout, 'data'), ended]);
  if (!Array.isArray(first)) throw new Error(`${subject} ended before it was ready: ${first.err}`);
  const { ready } = JSON.parse(first[0]);
  const stop = async (signal) => {
    if (signal) child.kill(signal);
    else child.stdin.end();
    const end = await ended;
    return { ...end, final: JSON.parse(end.out.trim().split('\n').pop()).final };
  };
  return { ...ready, ended, stop };
};

// One connection that speaks HTTP/1.1; requests asked together are pipelined.
class Client {
  static async connect(port) {
    const socket = net.connect({ port, host: '127.0.0.1' });
    await once(socket, 'connect');
    return new Client(socket);
  }

  constructor(socket) {
    this.socket_ = socket;
    this.bytes_ = Buffer.alloc(0);
    this.waiting_ = [];
    socket.on('data', (bytes) => {
      this.bytes_ = Buffer.concat([this.bytes_, bytes]);
      this.deliver_();
    });
    const lost = () => this.waiting_.splice(0).forEach(({ reject }) => reject(new Error('connection lost')));
    socket.on('error', lost).on('close', lost);
  }

  // {status, header_names, body}
  ask(method, target, body) {
    const length = body === undefined ? '' : `Content-Length: ${body.length}\r\n`;
    this.socket_.write(`${method} ${target} HTTP/1.1\r\nHost: 127.0.0.1\r\n${length}\r\n`);
    if (body !== undefined) this.socket_.write(body);
    return new Promise((resolve, reject) => { this.waiting_.push({ resolve, reject }); });
  }

  close() {
    this.socket_.destroy();
  }

  deliver_() {
    for (;;) {
      const head_end = this.bytes_.indexOf('\r\n\r\n');
      if (head_end < 0) return;
      const [status_line, ...headers] = this.bytes_.subarray(0, head_end).toString('latin1').split('\r\n');
      const length = Number(/^content-length: ([0-9]+)$/im.exec(headers.join('\n'))?.[1]);
      const body_at = head_end + 4;
      if (this.bytes_.length < body_at + length) return;
      const body = this.bytes_.subarray(body_at, body_at + length);
      this.bytes_ = this.bytes_.subarray(body_at + length);
      const header_names = headers.map((header) => header.split(':')[0].toLowerCase());
      this.waiting_.shift().resolve({ status: Number(status_line.split(' ')[1]), header_names, body });
    }
  }
}

// Sends `bytes`, half-closes, and returns everything that came back until the end.
exports.stream_echo = async (port, bytes) => {
  const socket = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  const pieces = [];
  socket.on('data', (piece) => pieces.push(piece));
  socket.end(bytes);
  await once(socket, 'end');
  return Buffer.concat(pieces);
};

exports.Client = Client;
