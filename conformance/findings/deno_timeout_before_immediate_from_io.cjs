'use strict';
// In a callback of node:fs an immediate and a timeout are set, and the timeout's time is up before the callback
// returns; which comes first?
const fs = require('node:fs');
const { setImmediate, setTimeout } = require('node:timers');

const seen = [];
fs.stat('/', () => {
  setImmediate(() => seen.push('immediate'));
  setTimeout(() => seen.push('timeout'), 1);
  const begin = Date.now();
  while (Date.now() < begin + 5);
});
setTimeout(() => console.log(seen.join(' ')), 100);
