#pragma once
// Work is a value: what a service half asks for, never how it is run. The loop sends it to its pool,
// a thread-per-connection subject just runs it, so N architectures x M workloads cost N + M files.

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "harness/base/aligned_bytes.h"

namespace tickmark {

/// Size of a file. Outcome: `number` = size in bytes.
struct FileStat {
  std::string path;
};

/// A whole file. Outcome: `bytes`.
struct FileRead {
  std::string path;
};

/// Replaces the file's content; with `sync`, fdatasync before it is done. Outcome: `number` = bytes written.
struct FileWrite {
  std::string path;
  std::string content;
  bool sync = false;
};

/// SHA-256 of `bytes` (borrowed: must outlive the work). Outcome: `text` = lower-case hex.
struct Digest {
  std::string_view bytes;
};

/// Key derivation. Outcome: `text` = lower-case hex of `key_bytes` bytes.
struct DeriveKey {
  enum class Function { kPbkdf2Sha512, kScrypt };
  Function function = Function::kPbkdf2Sha512;
  std::string password;
  std::string salt;
  uint32_t key_bytes = 32;
  uint32_t iterations = 1;  ///< pbkdf2
  uint64_t scrypt_n = 2;    ///< scrypt: cost, a power of two
  uint32_t scrypt_r = 8;
  uint32_t scrypt_p = 1;
};

/// Pure computation. Outcome: `text` = the answer in decimal (primes) or as 16 hex digits of the
/// checksum's IEEE-754 bits (matmul), exactly as docs/workloads.md defines it.
struct Crunch {
  enum class Function { kPrimes, kMatmul };
  Function function = Function::kPrimes;
  uint64_t n = 0;
};

using Work = std::variant<FileStat, FileRead, FileWrite, Digest, DeriveKey, Crunch>;

/// What came of a piece of work. `error` is an errno value, 0 on success.
struct WorkOutcome {
  int error = 0;
  uint64_t number = 0;
  std::string text;
  AlignedBytes bytes;
};

}  // namespace tickmark
