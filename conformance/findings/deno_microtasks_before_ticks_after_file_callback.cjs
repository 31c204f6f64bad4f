'use strict';
// A callback of node:fs queues a microtask and a tick; which comes first?
const fs = require('node:fs');
const process = require('node:process');
const { setTimeout } = require('node:timers');

const seen = [];
fs.stat('/', () => {
  queueMicrotask(() => seen.push('microtask'));
  process.nextTick(() => seen.push('tick'));
});
setTimeout(() => console.log(seen.join(' ')), 100);
