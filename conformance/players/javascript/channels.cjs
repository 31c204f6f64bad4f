'use strict';
// The verbs about messages: a MessageChannel, a BroadcastChannel, and a worker thread. Messages of a sender are
// numbered, so that a receiver can tell lost, doubled and swapped ones.

const path = require('path');
const { load, process, workers } = require('./runtime.cjs');
const { Thing } = require('./things.cjs');

const { EventEmitter } = load('events');

let broadcasts = 0;

class Port extends Thing {
  constructor(run, port, ends_with, destroy) {
    super(run, port, ends_with, destroy);
    this.port = port;
    this.posted = 0;
    this.received = 0;
  }

  post(count) {
    for (let i = 0; i < count; i += 1) {
      this.port.postMessage(this.posted);
      this.posted += 1;
    }
  }

  is_next(message) {
    const right = message === this.received;
    this.received += 1;
    return right;
  }
}

exports.Port = Port;

exports.channel = (run, step) => {
  const { port1, port2 } = new workers.MessageChannel();
  run.add_thing(`${step.label}.a`, new Port(run, port1, 'close', () => port1.close()));
  run.add_thing(`${step.label}.b`, new Port(run, port2, 'close', () => port2.close()));
};

// An event target, not an emitter, and it does not say that it has closed.
function broadcast_port(run, name) {
  const channel = new workers.BroadcastChannel(name);
  const emitter = new EventEmitter();
  channel.onmessage = ({ data }) => emitter.emit('message', data);
  return new Port(run, Object.assign(emitter, { postMessage: (message) => channel.postMessage(message) }), 'closed',
    () => {
      channel.close();
      emitter.emit('closed');
    });
}

// Three ends of one name, which nothing else has.
exports.broadcast = (run, step) => {
  broadcasts += 1;
  const name = `tickmark-${process.pid}-${workers.threadId}-${broadcasts}`;
  for (const end of ['a', 'b', 'c']) run.add_thing(`${step.label}.${end}`, broadcast_port(run, name));
};

exports.post = (run, step) => run.thing(step.target).post(step.count === undefined ? 1 : step.count);

// A worker thread that posts `count` messages and ends.
exports.worker = (run, step) => {
  const worker = new workers.Worker(path.join(__dirname, 'posting_worker.cjs'), { workerData: step.count });
  run.add_thing(step.label, new Port(run, worker, 'exit', () => { worker.terminate(); }));
};
