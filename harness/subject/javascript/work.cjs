'use strict';
// How Node runs work: each value goes to the asynchronous API a Node user would take for it. fs and
// key derivation run on libuv's pool; SHA-256 of a large buffer has no asynchronous call in
// node:crypto, so it takes WebCrypto's digest (which copies the input, then runs on the same pool);
// JavaScript computation runs on worker threads.

const crypto = require('node:crypto');
const fs = require('node:fs');
const { errno } = require('node:os').constants;
const { crunch } = require('./crunch.cjs');
const { CrunchPool, available_parallelism } = require('./crunch_pool.cjs');

const kFileMode = 0o644;
// At exit libuv waits for everything its pool has accepted. So much at a time keeps the pool busy, and
// can be finished in the 2 s that a subject has for its end; what waits here is dropped then.
const kInFlightMax = 128;
let in_flight = 0;
const waiting = [];

const crunch_pool = new CrunchPool(available_parallelism());

// OpenSSL's own default of 32 MiB refuses n = 32768, r = 8. The same limit as the C++ subjects.
const kScryptMemoryMax = 2 ** 30;

// An error of the system has an errno; the others are parameters that OpenSSL refuses.
function failed(error) {
  return { error: error.errno === undefined ? errno.EINVAL : -error.errno };
}

function size_of(stat) {
  return stat.isFile() ? { error: 0, number: stat.size } : { error: errno.ENOENT };
}

function scrypt_settings(work) {
  return { N: work.scrypt_n, r: work.scrypt_r, p: work.scrypt_p, maxmem: kScryptMemoryMax };
}

function write_file(work, then) {
  fs.open(work.path, 'w', kFileMode, (open_error, fd) => {
    if (open_error) return then(failed(open_error));
    const close = (error) => fs.close(fd, (close_error) => {
      const first = error ?? close_error;
      then(first ? failed(first) : { error: 0, number: work.content.length });
    });
    return fs.writeFile(fd, work.content, (error) => {
      if (error || !work.sync) return close(error);
      return fs.fdatasync(fd, close);
    });
  });
}

const kAsync = {
  file_stat: (work, then) =>
    fs.stat(work.path, (error, stat) => then(error ? failed(error) : size_of(stat))),
  file_read: (work, then) =>
    fs.readFile(work.path, (error, bytes) => then(error ? failed(error) : { error: 0, bytes })),
  file_write: write_file,
  digest: (work, then) =>
    crypto.webcrypto.subtle.digest('SHA-256', work.bytes).then(
      (hash) => then({ error: 0, text: Buffer.from(hash).toString('hex') }),
      (error) => then(failed(error))),
  derive_key: (work, then) => {
    const done = (error, key) => then(error ? failed(error) : { error: 0, text: key.toString('hex') });
    try {
      if (work.function === 'scrypt') {
        crypto.scrypt(work.password, work.salt, work.key_bytes, scrypt_settings(work), done);
      } else {
        crypto.pbkdf2(work.password, work.salt, work.iterations, work.key_bytes, 'sha512', done);
      }
    } catch (error) {
      then(failed(error)); // what OpenSSL refuses is thrown at once
    }
  },
  crunch: (work, then) => crunch_pool.run(work, (text) => then({ error: 0, text })),
};

const kBlocking = {
  file_stat: (work) => size_of(fs.statSync(work.path)),
  file_read: (work) => ({ bytes: fs.readFileSync(work.path) }),
  file_write: (work) => {
    const fd = fs.openSync(work.path, 'w', kFileMode);
    try {
      fs.writeFileSync(fd, work.content);
      if (work.sync) fs.fdatasyncSync(fd);
    } finally {
      fs.closeSync(fd);
    }
    return { number: work.content.length };
  },
  digest: (work) => ({ text: crypto.createHash('sha256').update(work.bytes).digest('hex') }),
  derive_key: (work) => {
    const { password, salt, key_bytes } = work;
    const key = work.function === 'scrypt'
      ? crypto.scryptSync(password, salt, key_bytes, scrypt_settings(work))
      : crypto.pbkdf2Sync(password, salt, work.iterations, key_bytes, 'sha512');
    return { text: key.toString('hex') };
  },
  crunch: (work) => ({ text: crunch(work) }),
};

// Starts one piece of work, and when it is done the one that has waited longest.
function start(work, then) {
  in_flight += 1;
  kAsync[work.kind](work, (outcome) => {
    in_flight -= 1;
    const next = waiting.shift();
    if (next !== undefined) start(next.work, next.then);
    then(outcome);
  });
}

// Runs `work` off the loop's thread; `then(outcome)` runs later on the loop.
// outcome = {error: errno or 0, number?, text?, bytes?}
exports.offload = (work, then) => {
  if (in_flight < kInFlightMax) start(work, then);
  else waiting.push({ work, then });
};

// Runs `work` here and now, blocking the loop: deliberately.
exports.run_inline = (work) => {
  try {
    return { error: 0, ...kBlocking[work.kind](work) };
  } catch (error) {
    return failed(error);
  }
};
