// Reading 4 KiB of a file, N reads in flight at a time, beside libuv: out of the page cache, where the way
// there and back is what costs, and from the device (O_DIRECT), where it is how many reads wait at once.
//
// Asio (1.22) reads files only where it was built for io_uring. What decides the claim that asynchronous I/O
// of the system beats a pool is the same two reads on a loop whose backend carries them out natively: one
// more line with its LoopOptions below.
#include <array>
#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <unistd.h>
#include <vector>

#include "reference-loop/fs.h"
#include "reference-loop/peers_bench.h"

namespace refloop::fs_bench {
namespace {

constexpr std::size_t kBlockBytes = 4096;

// A file of 64 blocks, open for reading; its name is gone at once. -1 where it cannot be read like that.
struct Blocks {
  int fd = -1;
  explicit Blocks(int flags) {
    std::string path = std::filesystem::temp_directory_path() / "refloop_bench_XXXXXX";
    const int created = mkstemp(path.data());
    const std::array<char, kBlockBytes> block{};
    for (int i = 0; i < 64; ++i) (void)!write(created, block.data(), block.size());
    fsync(created);
    close(created);
    fd = open(path.c_str(), O_RDONLY | flags);
    unlink(path.c_str());
  }
  ~Blocks() { close(fd); }
};

struct Read : FsRequest {
  using FsRequest::FsRequest;
  alignas(kBlockBytes) std::array<std::byte, kBlockBytes> into;
};

void read_by_refloop(benchmark::State& state, LoopOptions options, int flags) {
  auto loop = Loop::create(options).value();
  const Blocks blocks(flags);
  if (blocks.fd < 0) return state.SkipWithError("no such reads in this file system");
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

struct UvRead {
  uv_fs_t request;
  alignas(kBlockBytes) std::array<char, kBlockBytes> into;
};

void read_by_libuv(benchmark::State& state, int flags) {
  UvLoop uv;
  const Blocks blocks(flags);
  if (blocks.fd < 0) return state.SkipWithError("no such reads in this file system");
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

void fs_read_refloop(benchmark::State& state) { read_by_refloop(state, {}, 0); }
void fs_read_libuv(benchmark::State& state) { read_by_libuv(state, 0); }
BENCHMARK(fs_read_refloop)->Arg(1)->Arg(64)->UseRealTime()->MeasureProcessCPUTime();
BENCHMARK(fs_read_libuv)->Arg(1)->Arg(64)->UseRealTime()->MeasureProcessCPUTime();

void fs_read_direct_refloop(benchmark::State& state) { read_by_refloop(state, {}, O_DIRECT); }
void fs_read_direct_libuv(benchmark::State& state) { read_by_libuv(state, O_DIRECT); }
BENCHMARK(fs_read_direct_refloop)->Arg(1)->Arg(64)->UseRealTime()->MeasureProcessCPUTime();
BENCHMARK(fs_read_direct_libuv)->Arg(1)->Arg(64)->UseRealTime()->MeasureProcessCPUTime();

}  // namespace
}  // namespace refloop::fs_bench
