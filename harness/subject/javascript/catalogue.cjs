'use strict';
// Which workloads there are: the folders of workloads/ that have a JavaScript service half.

const fs = require('node:fs');
const path = require('node:path');
const { UsageError } = require('./arguments.cjs');

const kFolder = path.join(__dirname, '..', '..', '..', 'workloads');

function half_of(name) {
  return path.join(kFolder, name, 'service.cjs');
}

// Names, sorted.
exports.workload_names = () =>
  fs.readdirSync(kFolder).filter((name) => fs.existsSync(half_of(name))).sort();

// The service half of a workload: {kind: 'stream'|'http', params: [name], make(params),
// check?(params) -> what is wrong with them, in a sentence, or null}.
exports.load_workload = (name) => {
  const names = exports.workload_names();
  if (!names.includes(name)) {
    throw new UsageError(`unknown workload '${name}'; known here: ${names.join(', ')}`);
  }
  const half = require(half_of(name));
  if (!['stream', 'http'].includes(half.kind) || typeof half.make !== 'function' || !Array.isArray(half.params)) {
    throw new Error(`workloads/${name}/service.cjs must export kind (stream or http), params and make`);
  }
  return half;
};

// Refuses parameters the workload does not have, or finds wrong.
exports.check_params = (name, half, params) => {
  for (const key of Object.keys(params)) {
    if (!half.params.includes(key)) {
      const known = half.params.join(', ') || 'none';
      throw new UsageError(`workload ${name} has no parameter '${key}'; known: ${known}`);
    }
  }
  const complaint = half.check?.(params) ?? null;
  if (complaint !== null) throw new UsageError(complaint);
};
