'use strict';
// The verbs about streams without I/O: Writable, Readable and pipeline.

const { load, timers } = require('./runtime.cjs');
const { End } = require('./streams.cjs');

const { Readable, Writable, pipeline } = load('stream');

// Takes every chunk at once; `slow`: in an immediate of its own. `final` labels the callback of _final().
exports.writable = (run, step) => {
  const options = {
    write(chunk, encoding, done) {
      if (step.slow) timers.setImmediate(done);
      else done();
    },
  };
  if (step.final !== undefined) {
    const entry = run.add_entry({ verb: 'writable', label: step.final }, '');
    options.final = (done) => {
      entry.fire();
      done();
    };
  }
  run.add_thing(step.label, new End(run, new Writable(options)));
};

// Gives `count` chunks of a byte each, then its end.
exports.readable = (run, step) => {
  const stream = new Readable({ read() {} });
  const end = new End(run, stream);
  for (let i = 0; i < step.count; i += 1) stream.push(Buffer.from([i]));
  stream.push(null);
  run.add_thing(step.label, end);
};

exports.pipeline = (run, step, entry) => {
  pipeline(run.thing(step.on).stream, run.thing(step.to).stream,
    (error) => entry.fire(error ? { status: 'error' } : {}));
};
