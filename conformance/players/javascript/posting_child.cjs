'use strict';
// What the verb `fork` runs: posts so many numbered messages and ends, or sends back whatever comes.

const { process } = require('./runtime.cjs');

const [count, what] = [Number(process.argv[2]), process.argv[3]];

function post(number) {
  // It ends when the last one is written, so that none is lost on this side.
  process.send(number, number === count - 1 ? () => process.disconnect() : undefined);
}

if (what === 'echo') process.on('message', (message) => process.send(message));
for (let i = 0; i < count; i += 1) post(i);
