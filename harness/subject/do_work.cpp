#include "harness/subject/do_work.h"

#include <bit>
#include <cassert>
#include <cerrno>
#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

#include "harness/base/unique_fd.h"

namespace tickmark::subject {
namespace {

constexpr uint64_t kScryptMemoryMax = 1ULL << 30;  // OpenSSL's own default of 32 MiB refuses n = 32768, r = 8

WorkOutcome failed(int error) {
  WorkOutcome outcome;
  outcome.error = error;
  return outcome;
}

std::string hex(const unsigned char* bytes, size_t size) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out(2 * size, '0');
  for (size_t i = 0; i < size; ++i) {
    out[2 * i] = kDigits[bytes[i] >> 4];
    out[2 * i + 1] = kDigits[bytes[i] & 15];
  }
  return out;
}

WorkOutcome run(const FileStat& work) {
  struct stat status {};
  if (::stat(work.path.c_str(), &status) != 0) return failed(errno);
  if (!S_ISREG(status.st_mode)) return failed(ENOENT);
  WorkOutcome outcome;
  outcome.number = static_cast<uint64_t>(status.st_size);
  return outcome;
}

WorkOutcome run(const FileRead& work) {
  UniqueFd file(::open(work.path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return failed(errno);
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) return failed(errno);
  if (!S_ISREG(status.st_mode)) return failed(ENOENT);
  WorkOutcome outcome;
  outcome.bytes = AlignedBytes(static_cast<size_t>(status.st_size));
  size_t have = 0;
  while (have < outcome.bytes.size()) {
    const ssize_t got = ::read(file.get(), outcome.bytes.data() + have, outcome.bytes.size() - have);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return failed(errno);
    if (got == 0) break;  // somebody truncates it while we read: what is there is the file
    have += static_cast<size_t>(got);
  }
  outcome.bytes.shrink(have);
  return outcome;
}

WorkOutcome run(const FileWrite& work) {
  UniqueFd file(::open(work.path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (!file) return failed(errno);
  size_t written = 0;
  while (written < work.content.size()) {
    const ssize_t put = ::write(file.get(), work.content.data() + written, work.content.size() - written);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return failed(errno);
    written += static_cast<size_t>(put);
  }
  if (work.sync && ::fdatasync(file.get()) != 0) return failed(errno);
  WorkOutcome outcome;
  outcome.number = written;
  return outcome;
}

WorkOutcome run(const Digest& work) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  if (EVP_Digest(work.bytes.data(), work.bytes.size(), digest, &size, EVP_sha256(), nullptr) != 1) {
    return failed(EIO);
  }
  WorkOutcome outcome;
  outcome.text = hex(digest, size);
  return outcome;
}

WorkOutcome run(const DeriveKey& work) {
  std::vector<unsigned char> key(work.key_bytes);
  const auto* salt = reinterpret_cast<const unsigned char*>(work.salt.data());
  int ok = 0;
  switch (work.function) {
    case DeriveKey::Function::kPbkdf2Sha512:
      ok = PKCS5_PBKDF2_HMAC(work.password.data(), static_cast<int>(work.password.size()), salt,
                             static_cast<int>(work.salt.size()), static_cast<int>(work.iterations),
                             EVP_sha512(), static_cast<int>(key.size()), key.data());
      break;
    case DeriveKey::Function::kScrypt:
      ok = EVP_PBE_scrypt(work.password.data(), work.password.size(), salt, work.salt.size(), work.scrypt_n,
                          work.scrypt_r, work.scrypt_p, kScryptMemoryMax, key.data(), key.size());
      break;
  }
  if (ok != 1) return failed(EINVAL);
  WorkOutcome outcome;
  outcome.text = hex(key.data(), key.size());
  return outcome;
}

// docs/workloads.md prescribes this loop, and 32-bit numbers are what a JavaScript engine uses for it, too.
uint32_t count_primes(uint32_t below) {
  uint32_t count = 0;
  for (uint32_t n = 2; n < below; ++n) {
    bool prime = true;
    for (uint32_t d = 2; d * d <= n; ++d) {
      if (n % d == 0) {
        prime = false;
        break;
      }
    }
    if (prime) ++count;
  }
  return count;
}

double matmul_checksum(size_t n) {
  std::vector<double> a(n * n), b(n * n);
  for (size_t i = 0; i < n; ++i) {
    for (size_t j = 0; j < n; ++j) {
      a[i * n + j] = static_cast<double>((i * n + j) % 17) / 16;
      b[i * n + j] = static_cast<double>((i * 7 + j * 3) % 13) / 8;
    }
  }
  double checksum = 0.0;
  for (size_t i = 0; i < n; ++i) {
    for (size_t j = 0; j < n; ++j) {
      double c = 0.0;
      for (size_t k = 0; k < n; ++k) c += a[i * n + k] * b[k * n + j];
      checksum += c;
    }
  }
  return checksum;
}

WorkOutcome run(const Crunch& work) {
  WorkOutcome outcome;
  switch (work.function) {
    case Crunch::Function::kPrimes:
      // Beyond this d * d would not fit into 32 bits; the service half refuses far smaller numbers.
      if (work.n > (1ULL << 31)) return failed(EINVAL);
      outcome.text = fmt::format("{}", count_primes(static_cast<uint32_t>(work.n)));
      break;
    case Crunch::Function::kMatmul:
      outcome.text = fmt::format("{:016x}", std::bit_cast<uint64_t>(matmul_checksum(work.n)));
      break;
  }
  return outcome;
}

}  // namespace

WorkOutcome do_work(const Work& work) {
  return std::visit([](const auto& what) { return run(what); }, work);
}

void prepare_work() {
  do_work(Digest{"x"});
  DeriveKey key{.password = "x", .salt = "x"};
  do_work(key);
  key.function = DeriveKey::Function::kScrypt;
  do_work(key);
}

}  // namespace tickmark::subject
