'use strict';
// The verb `child`: a child process that prints a line and ends, or a program that does not exist.

const { load } = require('./runtime.cjs');
const { Thing } = require('./things.cjs');

const child_process = load('child_process');

exports.child = (run, step) => {
  const program = step.missing ? '/nowhere/tickmark-has-no-such-program' : '/bin/sh';
  const child = child_process.spawn(program, ['-c', 'echo line'], { stdio: ['ignore', 'pipe', 'ignore'] });
  run.add_thing(step.label, new Thing(run, child, 'close', () => child.kill()));
  if (child.stdout) run.add_thing(`${step.label}.stdout`, new Thing(run, child.stdout, 'close'));
};
