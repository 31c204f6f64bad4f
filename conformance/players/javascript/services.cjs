'use strict';
// What the verbs of a process share: only what its scenarios need is prepared.

const { fs, load, process } = require('./runtime.cjs');
const { all_steps } = require('./scenario_file.cjs');
const { open_scratch } = require('./files.cjs');
const { start_peer } = require('./peer.cjs');

const crypto = load('crypto');

const kCalibrationRounds = 2000;

// pbkdf2 rounds that take a millisecond here: the best of three, so that a disturbance does not count.
function calibrate() {
  let best_ms = Infinity;
  for (let i = 0; i < 3; i += 1) {
    const start = process.hrtime.bigint();
    crypto.pbkdf2Sync('password', 'salt', kCalibrationRounds, 64, 'sha512');
    best_ms = Math.min(best_ms, Number(process.hrtime.bigint() - start) / 1e6);
  }
  return kCalibrationRounds / best_ms;
}

// `file`: what the file verbs look at; `trace`: beside it a scratch file may be made.
exports.prepare = (file, trace, scenarios) => {
  const used = new Set();
  for (const { steps } of scenarios) {
    for (const { verb } of all_steps(steps)) used.add(verb);
  }
  return Object.assign({
    file,
    fd: fs.openSync(file, 'r'),
    scratch: used.has('fs_write') ? { fd: open_scratch(trace), bytes: 0 } : null,
    rounds_per_ms: used.has('work') ? calibrate() : 0,
  }, used.has('connect') ? start_peer() : {});
};
