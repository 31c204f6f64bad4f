'use strict';
// The main script of a worker thread that plays (`--mode worker`).

const { workers } = require('./runtime.cjs');
const { play } = require('./player.cjs');

play(Object.assign({}, workers.workerData, { mode: 'cjs' }));
