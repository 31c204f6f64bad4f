'use strict';
// What the verb `worker` runs: posts so many numbered messages, and ends.

const { workers } = require('./runtime.cjs');

for (let i = 0; i < workers.workerData; i += 1) workers.parentPort.postMessage(i);
