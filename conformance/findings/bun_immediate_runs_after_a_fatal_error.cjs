'use strict';
// A timeout sets an immediate and throws, and nobody handles the error; does the immediate still run?
const fs = require('node:fs');
const process = require('node:process');
const { setImmediate, setTimeout } = require('node:timers');

const seen = [];
process.on('exit', () => fs.writeSync(1, `${[...seen, 'exit'].join(' ')}\n`));
setTimeout(() => {
  seen.push('timeout');
  setImmediate(() => seen.push('immediate'));
  throw new Error('nobody handles this');
}, 1);
