'use strict';
// The verbs about messages: a MessageChannel, and a worker thread. Messages of a sender are numbered, so that
// a receiver can tell lost, doubled and swapped ones.

const path = require('path');
const { workers } = require('./runtime.cjs');
const { Thing } = require('./things.cjs');

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

exports.channel = (run, step) => {
  const { port1, port2 } = new workers.MessageChannel();
  run.add_thing(`${step.label}.a`, new Port(run, port1, 'close', () => port1.close()));
  run.add_thing(`${step.label}.b`, new Port(run, port2, 'close', () => port2.close()));
};

exports.post = (run, step) => run.thing(step.target).post(step.count === undefined ? 1 : step.count);

// A worker thread that posts `count` messages and ends.
exports.worker = (run, step) => {
  const worker = new workers.Worker(path.join(__dirname, 'posting_worker.cjs'), { workerData: step.count });
  run.add_thing(step.label, new Port(run, worker, 'exit', () => { worker.terminate(); }));
};
