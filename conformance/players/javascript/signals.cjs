'use strict';
// The verbs about signals: one that is ignored by default, so that it harms nobody who does not listen.

const { process } = require('./runtime.cjs');

const kSignal = 'SIGWINCH';

exports.signal = (run, step, entry) => {
  const heard = () => entry.fire();
  if (step.once) process.once(kSignal, heard);
  else process.on(kSignal, heard);
  entry.handle = { stop: () => process.removeListener(kSignal, heard) };
  run.defer(entry.handle.stop);
};

exports.raise = (run, step) => {
  run.target(step.target);
  for (let i = 0; i < (step.count === undefined ? 1 : step.count); i += 1) process.kill(process.pid, kSignal);
};
