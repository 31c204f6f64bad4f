'use strict';
// Which runtime this is, and its modules. Everything is taken from its `node:` module: the globals of Deno and
// Bun of the same name are other things. Written for Node 10 and later, as all of the player is.

// The module, or null where the runtime has none of that name. Node 10 and 12 know no `node:` prefix.
function load(name) {
  for (const id of [`node:${name}`, name]) {
    try {
      return require(id);
    } catch (error) {
      if (!/MODULE_NOT_FOUND|ERR_UNKNOWN_BUILTIN_MODULE/.test(error.code)) throw error;
    }
  }
  return null;
}

const process = load('process');

function runtime_name() {
  if (process.versions.deno !== undefined) return 'deno';
  return process.versions.bun !== undefined ? 'bun' : 'node';
}

const name = runtime_name();

// Node 10 has promise jobs, but no function that queues a plain microtask.
const micro = typeof queueMicrotask === 'function' ? queueMicrotask : (task) => { Promise.resolve().then(task); };

module.exports = {
  load,
  name,
  title: { node: 'Node', deno: 'Deno', bun: 'Bun' }[name],
  process,
  timers: load('timers'),
  fs: load('fs'),
  net: load('net'),
  workers: load('worker_threads'), // null in Node 10
  micro,
};
