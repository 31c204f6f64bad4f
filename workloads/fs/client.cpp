// fs, client half: makes seeded files and knows what every reply must be.

#include <fmt/format.h>
#include <fstream>

#include "workloads/parameters.h"
#include "workloads/table_client.h"

namespace tickmark {
namespace {

using workloads::TableClient;

constexpr size_t kSmall = 4096;
constexpr size_t kLarge = 1 << 20;

std::string seeded_bytes(uint64_t seed, size_t size) {
  SplitMix64 random(seed);
  std::string bytes(size, '\0');
  for (size_t i = 0; i < size; i += 8) {
    const uint64_t word = random.next();
    for (size_t j = 0; j < 8; ++j) bytes[i + j] = static_cast<char>(word >> (8 * j));
  }
  return bytes;
}

// The files of one size, and the requests about them.
struct Files {
  TableClient::Kind stat, read;
};

Expected<Files> make_files(const ClientSetup& setup, const std::filesystem::path& folder,
                           std::string_view prefix, uint64_t count, size_t size) {
  Files files;
  for (uint64_t i = 0; i < count; ++i) {
    const std::string name = fmt::format("{}_{:03}.bin", prefix, i);
    std::string bytes = seeded_bytes(setup.seed ^ (size + i), size);
    std::ofstream file(folder / name, std::ios::binary | std::ios::trunc);
    file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    file.close();
    if (!file) {
      return environment_error(
          fmt::format("workload 'fs' cannot write {}: make the folder writable or free some space",
                      (folder / name).string()));
    }
    files.stat.entries.push_back(
        {workloads::http_head("GET", "/fs/stat?file=" + name, setup.host), fmt::format("{}", size)});
    files.read.entries.push_back(
        {workloads::http_head("GET", "/fs/read?file=" + name, setup.host), std::move(bytes)});
  }
  return files;
}

// Written files have names of their own, so that no reader ever sees one half replaced.
TableClient::Kind make_writes(const ClientSetup& setup, uint64_t count) {
  TableClient::Kind writes;
  for (uint64_t i = 0; i < count; ++i) {
    const std::string target = fmt::format("/fs/write?file=written_{:03}.bin", i);
    const std::string length = fmt::format("Content-Length: {}\r\n", kSmall);
    writes.entries.push_back({workloads::http_head("POST", target, setup.host, length) +
                                  seeded_bytes(setup.seed ^ (kSmall * 3 + i), kSmall),
                              fmt::format("{}", kSmall)});
  }
  return writes;
}

TableClient::Kind weighted(uint64_t weight, TableClient::Kind kind) {
  kind.weight = weight;
  return kind;
}

std::vector<TableClient::Kind> kinds_of(size_t variant, Files small, Files large, TableClient::Kind writes) {
  std::vector<TableClient::Kind> kinds;
  switch (variant) {
    case 0:
      kinds.push_back(weighted(40, std::move(small.stat)));
      kinds.push_back(weighted(40, std::move(small.read)));
      kinds.push_back(weighted(15, std::move(writes)));
      kinds.push_back(weighted(5, std::move(large.read)));
      break;
    case 1:
      kinds.push_back(std::move(small.stat));
      break;
    case 2:
      kinds.push_back(std::move(small.read));
      break;
    case 3:
      kinds.push_back(std::move(large.read));
      break;
    default:
      kinds.push_back(std::move(writes));
      break;
  }
  return kinds;
}

}  // namespace

Expected<Client> make_client_fs(const ClientSetup& setup) {
  if (auto ok = workloads::check_names("fs", setup.params, {"root", "small_files", "large_files"}); !ok) {
    return std::unexpected(ok.error());
  }
  const auto variant =
      workloads::pick_variant("fs", setup.variant, {"mix", "stat", "read_4k", "read_1m", "write_4k"});
  if (!variant) return std::unexpected(variant.error());
  const auto small_count = workloads::number_parameter("fs", setup.params, "small_files", 16, 1, 1000);
  if (!small_count) return std::unexpected(small_count.error());
  const auto large_count = workloads::number_parameter("fs", setup.params, "large_files", 4, 1, 64);
  if (!large_count) return std::unexpected(large_count.error());
  const auto root = setup.params.find("root");
  const bool own = root == setup.params.end() || root->second.empty();
  const std::filesystem::path folder = own ? setup.folder : std::filesystem::path(root->second);

  auto small = make_files(setup, folder, "small", *small_count, kSmall);
  if (!small) return std::unexpected(small.error());
  auto large = make_files(setup, folder, "large", *large_count, kLarge);
  if (!large) return std::unexpected(large.error());
  Client client;
  client.http = std::make_unique<TableClient>(
      setup.seed, kinds_of(*variant, std::move(*small), std::move(*large), make_writes(setup, *small_count)));
  client.subject_params["root"] = folder.string();
  return client;
}

}  // namespace tickmark
