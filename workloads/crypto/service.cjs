'use strict';
// crypto: key derivation and hashing, offloaded as the architecture offloads crypto.

const kBlocks = 8;
const kBlockBytes = 1 << 20;
// What one request may cost at most; beyond is a malformed parameter.
const kMost = { bytes: 1024, iterations: 10000000, n: 1 << 20, r: 32, p: 16 };
const kMask = (1n << 64n) - 1n;

exports.kind = 'http';
exports.params = ['iterations', 'scrypt_n']; // the client half's; of no use here

// Block k: SplitMix64 seeded with k, each word little-endian.
function make_block(seed) {
  const block = Buffer.alloc(kBlockBytes);
  let state = BigInt(seed);
  for (let at = 0; at < kBlockBytes; at += 8) {
    state = (state + 0x9e3779b97f4a7c15n) & kMask;
    let z = state;
    z = ((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n) & kMask;
    z = ((z ^ (z >> 27n)) * 0x94d049bb133111ebn) & kMask;
    block.writeBigUInt64LE(z ^ (z >> 31n), at);
  }
  return block;
}

// Work for a well-formed request, undefined for an unknown path, null for a bad parameter.
function work_for(request, blocks) {
  const { query } = request;
  const password = query.get('password');
  const salt = query.get('salt');
  const key_bytes = query.number('bytes', 1, kMost.bytes);
  switch (`${request.method} ${request.path}`) {
    case 'GET /crypto/pbkdf2': {
      const iterations = query.number('iterations', 1, kMost.iterations);
      if (password === null || salt === null || key_bytes === null || iterations === null) return null;
      return { kind: 'derive_key', function: 'pbkdf2_sha512', password, salt, key_bytes, iterations };
    }
    case 'GET /crypto/scrypt': {
      const scrypt_n = query.number('n', 2, kMost.n);
      const scrypt_r = query.number('r', 1, kMost.r);
      const scrypt_p = query.number('p', 1, kMost.p);
      if (password === null || salt === null || key_bytes === null) return null;
      if (scrypt_n === null || scrypt_r === null || scrypt_p === null) return null;
      if ((scrypt_n & (scrypt_n - 1)) !== 0) return null;
      return { kind: 'derive_key', function: 'scrypt', password, salt, key_bytes, scrypt_n, scrypt_r, scrypt_p };
    }
    case 'GET /crypto/sha256': {
      const block = query.number('block', 0, kBlocks - 1);
      return block === null ? null : { kind: 'digest', bytes: blocks[block] };
    }
    default:
      return undefined;
  }
}

function answer(exchange, outcome) {
  if (outcome.error !== 0) return exchange.reply(500, `errno ${outcome.error}\n`);
  return exchange.reply(200, outcome.text);
}

exports.make = () => {
  const blocks = Array.from({ length: kBlocks }, (_, k) => make_block(k));
  return {
    on_request(request, exchange) {
      const work = work_for(request, blocks);
      if (work === undefined) return exchange.reply(404, 'not found\n');
      if (work === null) return exchange.reply(400, 'a parameter is missing or malformed\n');
      return exchange.offload(work, answer);
    },
  };
};
