// Reading 4 KiB of a file in the page cache through the pool, N reads in flight at a time, beside libuv.
// Asio (1.22) reads files only where it was built for io_uring.
#include <array>
#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <unistd.h>
#include <vector>

#include "reference-loop/fs.h"
#include "reference-loop/peers_bench.h"

namespace refloop {
namespace {

constexpr std::size_t kBlockBytes = 4096;

// A file of 64 blocks, open for reading; its name is gone at once.
struct Blocks {
  int fd = -1;
  Blocks() {
    std::string path = std::filesystem::temp_directory_path() / "refloop_bench_XXXXXX";
    fd = mkstemp(path.data());
    unlink(path.c_str());
    const std::array<char, kBlockBytes> block{};
    for (int i = 0; i < 64; ++i) (void)!write(fd, block.data(), block.size());
  }
  ~Blocks() { close(fd); }
};

struct Read : FsRequest {
  using FsRequest::FsRequest;
  alignas(64) std::array<std::byte, kBlockBytes> into;
};

void fs_read_refloop(benchmark::State& state) {
  auto loop = Loop::create().value();
  const Blocks blocks;
  std::vector<std::unique_ptr<Read>> reads;
  for (std::int64_t i = 0; i < state.range(0); ++i) reads.push_back(std::make_unique<Read>(*loop));
  for (auto _ : state) {
    std::int64_t offset = 0;
    for (auto& read : reads) {
      read->read(blocks.fd, read->into, offset, [](FsRequest&, Error) {});
      offset += kBlockBytes;
    }
    loop->run();
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(fs_read_refloop)->Arg(1)->Arg(64)->UseRealTime()->MeasureProcessCPUTime();

struct UvRead {
  uv_fs_t request;
  alignas(64) std::array<char, kBlockBytes> into;
};

void fs_read_libuv(benchmark::State& state) {
  UvLoop uv;
  const Blocks blocks;
  std::vector<std::unique_ptr<UvRead>> reads;
  for (std::int64_t i = 0; i < state.range(0); ++i) reads.push_back(std::make_unique<UvRead>());
  for (auto _ : state) {
    std::int64_t offset = 0;
    for (auto& read : reads) {
      uv_buf_t buffer = uv_buf_init(read->into.data(), kBlockBytes);
      uv_fs_read(&uv.loop, &read->request, blocks.fd, &buffer, 1, offset,
                 [](uv_fs_t* request) { uv_fs_req_cleanup(request); });
      offset += kBlockBytes;
    }
    uv_run(&uv.loop, UV_RUN_DEFAULT);
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(fs_read_libuv)->Arg(1)->Arg(64)->UseRealTime()->MeasureProcessCPUTime();

}  // namespace
}  // namespace refloop
