'use strict';
// The verbs about files. `fs_write` appends a byte to a scratch file of the player, where its effect can be
// seen without asking the loop: that is how `wait_written` knows what the pool has done.

const { fs } = require('./runtime.cjs');

// A file without a name, beside `path`.
function open_scratch(path) {
  const name = `${path}.scratch`;
  const fd = fs.openSync(name, 'w+');
  fs.unlinkSync(name);
  return fd;
}

function fire_result(entry) {
  return (error) => entry.fire(error ? { status: 'error' } : undefined);
}

exports.open_scratch = open_scratch;

exports.fs_stat = (run, step, entry) => fs.stat(run.services.file, fire_result(entry));

exports.fs_read = (run, step, entry) =>
  fs.read(run.services.fd, Buffer.alloc(4096), 0, 4096, 0, fire_result(entry));

exports.fs_promise = (run, step, entry) => {
  fs.promises.stat(run.services.file).then(() => entry.fire(), () => entry.fire({ status: 'error' }));
};

exports.fs_write = (run, step, entry) => {
  const { scratch } = run.services;
  entry.size_after = (scratch.bytes += 1);
  fs.write(scratch.fd, Buffer.alloc(1), 0, 1, entry.size_after - 1, fire_result(entry));
};

// By position: one write that is late leaves no doubt about which.
exports.wait_written = (run, step) => {
  const { size_after } = run.target(step.target);
  while (fs.fstatSync(run.services.scratch.fd).size < size_after);
};
