'use strict';
// The body of one worker thread of crunch_pool.cjs.

const { parentPort } = require('node:worker_threads');
const { crunch } = require('./crunch.cjs');

parentPort.on('message', (work) => parentPort.postMessage(crunch(work)));
