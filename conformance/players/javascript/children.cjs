'use strict';
// The verbs about child processes: one that prints a line and ends, a program that does not exist, and one that
// talks over a channel of messages.

const path = require('path');
const { load } = require('./runtime.cjs');
const { Port } = require('./channels.cjs');
const { Thing } = require('./things.cjs');

const child_process = load('child_process');

exports.child = (run, step) => {
  const program = step.missing ? '/nowhere/tickmark-has-no-such-program' : '/bin/sh';
  const child = child_process.spawn(program, ['-c', 'echo line'], { stdio: ['ignore', 'pipe', 'ignore'] });
  run.add_thing(step.label, new Thing(run, child, 'close', () => child.kill()));
  if (child.stdout) run.add_thing(`${step.label}.stdout`, new Thing(run, child.stdout, 'close'));
};

// The child as a port.
class Channel extends Port {
  constructor(run, child) {
    super(run, { postMessage: (message) => child.send(message), on: child.on.bind(child) }, 'disconnect',
      () => { if (child.connected) child.disconnect(); });
    this.child = child;
  }
}

// A child that posts `count` messages and ends, or, with `echo`, sends back what it gets until it is let go.
exports.fork = (run, step) => {
  const words = [String(step.count || 0), step.echo ? 'echo' : 'end'];
  const stdio = ['ignore', 'ignore', 'ignore', 'ipc'];
  const child = child_process.fork(path.join(__dirname, 'posting_child.cjs'), words, { stdio });
  run.add_thing(step.label, new Thing(run, child, 'close', () => child.kill()));
  run.add_thing(`${step.label}.channel`, new Channel(run, child));
};

// A message with a callback.
exports.ipc_send = (run, step, entry) => {
  const channel = run.thing(step.on);
  channel.child.send(channel.posted, (error) => entry.fire(error ? { status: 'error' } : {}));
  channel.posted += 1;
};
