'use strict';
// The number crunching of the cpu workload, the same loops in every language (docs/workloads.md).

function primes_below(limit) {
  let count = 0;
  for (let n = 2; n < limit; n += 1) {
    let prime = true;
    for (let d = 2; d * d <= n; d += 1) {
      if (n % d === 0) {
        prime = false;
        break;
      }
    }
    if (prime) count += 1;
  }
  return count;
}

// JavaScript has no fused multiply-add, so product then sum is what the engine does.
function matmul_checksum(n) {
  const a = new Float64Array(n * n);
  const b = new Float64Array(n * n);
  for (let i = 0; i < n; i += 1) {
    for (let j = 0; j < n; j += 1) {
      a[i * n + j] = ((i * n + j) % 17) / 16;
      b[i * n + j] = ((i * 7 + j * 3) % 13) / 8;
    }
  }
  let checksum = 0;
  for (let i = 0; i < n; i += 1) {
    for (let j = 0; j < n; j += 1) {
      let sum = 0;
      for (let k = 0; k < n; k += 1) sum += a[i * n + k] * b[k * n + j];
      checksum += sum;
    }
  }
  return checksum;
}

function double_bits_hex(value) {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleBE(value);
  return bytes.toString('hex');
}

// The reply's text for a piece of work of kind `crunch`.
exports.crunch = (work) => {
  switch (work.function) {
    case 'primes':
      return String(primes_below(work.n));
    case 'matmul':
      return double_bits_hex(matmul_checksum(work.n));
    default:
      throw new Error(`crunch knows primes and matmul, not '${work.function}'`);
  }
};
