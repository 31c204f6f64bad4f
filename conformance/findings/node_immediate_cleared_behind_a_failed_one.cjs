'use strict';
// An immediate throws, and the handler of the error clears the immediate behind it. What runs?
const process = require('process'); // no prefix: Node 10 and 12 know none
const { clearImmediate, setImmediate, setTimeout } = require('timers');

const kErrorsMost = 4; // of an endless number

const seen = [];
const tell = () => {
  console.log(seen.join(' '));
  process.reallyExit(0);
};
let second;
process.on('uncaughtException', (error) => {
  seen.push(error.message === 'first' ? 'handler' : error.constructor.name);
  clearImmediate(second);
  if (seen.length > kErrorsMost) tell();
});
setImmediate(() => {
  seen.push('first');
  throw new Error('first');
});
second = setImmediate(() => seen.push('second'));
setImmediate(() => seen.push('third'));
setTimeout(tell, 100);
