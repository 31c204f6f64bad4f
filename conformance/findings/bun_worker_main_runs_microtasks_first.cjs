'use strict';
// The main script of a worker thread queues a microtask and a tick; which comes first?
const process = require('node:process');
const { setTimeout } = require('node:timers');
const { Worker, isMainThread, parentPort } = require('node:worker_threads');

if (isMainThread) {
  new Worker(__filename).on('message', (seen) => console.log(seen.join(' ')));
} else {
  const seen = [];
  queueMicrotask(() => seen.push('microtask'));
  process.nextTick(() => seen.push('tick'));
  setTimeout(() => parentPort.postMessage(seen), 50);
}
