// cpu, client half: what every reply must be, computed apart from the service: a sieve instead of trial
// division, and the matrix product with its loops exchanged (each sum still runs over k ascending, so
// the bits are the same).

#include <bit>
#include <fmt/format.h>

#include "workloads/parameters.h"
#include "workloads/table_client.h"

namespace tickmark {
namespace {

using workloads::TableClient;

std::string count_primes(uint64_t below) {
  std::vector<bool> composite(below, false);
  uint64_t count = 0;
  for (uint64_t n = 2; n < below; ++n) {
    if (composite[n]) continue;
    ++count;
    for (uint64_t multiple = n * n; multiple < below; multiple += n) composite[multiple] = true;
  }
  return fmt::format("{}", count);
}

std::string matmul_checksum(uint64_t n) {
  std::vector<double> c(n * n, 0.0);
  for (uint64_t i = 0; i < n; ++i) {
    for (uint64_t k = 0; k < n; ++k) {
      const double a = static_cast<double>((i * n + k) % 17) / 16;
      for (uint64_t j = 0; j < n; ++j) c[i * n + j] += a * (static_cast<double>((k * 7 + j * 3) % 13) / 8);
    }
  }
  double checksum = 0.0;
  for (const double value : c) checksum += value;
  return fmt::format("{:016x}", std::bit_cast<uint64_t>(checksum));
}

TableClient::Entry primes(const ClientSetup& setup, uint64_t below, std::string_view mode) {
  return {workloads::http_head("GET", fmt::format("/cpu/primes?below={}&mode={}", below, mode), setup.host),
          count_primes(below)};
}

TableClient::Entry matmul(const ClientSetup& setup, uint64_t n, std::string_view mode) {
  return {workloads::http_head("GET", fmt::format("/cpu/matmul?n={}&mode={}", n, mode), setup.host),
          matmul_checksum(n)};
}

}  // namespace

Expected<Client> make_client_cpu(const ClientSetup& setup) {
  if (auto ok = workloads::check_names("cpu", setup.params, {"primes_below", "matmul_n"}); !ok) {
    return std::unexpected(ok.error());
  }
  const auto variant = workloads::pick_variant(
      "cpu", setup.variant, {"inline", "offload", "matmul_inline", "matmul_offload", "probe"});
  if (!variant) return std::unexpected(variant.error());
  const auto below = workloads::number_parameter("cpu", setup.params, "primes_below", 300'000, 2, 10'000'000);
  if (!below) return std::unexpected(below.error());
  const auto n = workloads::number_parameter("cpu", setup.params, "matmul_n", 300, 1, 1024);
  if (!n) return std::unexpected(n.error());
  TableClient::Kind kind;
  switch (*variant) {
    case 0:
      kind.entries.push_back(primes(setup, *below, "inline"));
      break;
    case 1:
      kind.entries.push_back(primes(setup, *below, "offload"));
      break;
    case 2:
      kind.entries.push_back(matmul(setup, *n, "inline"));
      break;
    case 3:
      kind.entries.push_back(matmul(setup, *n, "offload"));
      break;
    default:
      kind.entries.push_back(primes(setup, 10, "inline"));
      break;
  }
  Client client;
  client.http = std::make_unique<TableClient>(setup.seed, std::vector<TableClient::Kind>{std::move(kind)});
  return client;
}

}  // namespace tickmark
