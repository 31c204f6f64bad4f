// Blocking file operations with typed errors: what FsRequest runs on the pool.
//
// Thread-safe, as the kernel is. Every descriptor is close-on-exec.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <sys/types.h>

#include "reference-loop/error.h"
#include "reference-loop/page_buffer.h"
#include "reference-loop/time.h"

namespace refloop::file {

struct Stat {
  std::uint64_t size_bytes = 0;
  std::uint32_t mode = 0;  // st_mode: type and permissions
  Nanos modified{};        // since 1970
};

Result<Stat> stat(const char* path);
Result<int> open(const char* path, int flags, mode_t mode = 0644);
// At most into.size() bytes at `offset`, or from the current position if that is negative. 0: end of file.
Result<std::size_t> read(int fd, std::span<std::byte> into, std::int64_t offset);
// All of `from`, in as many kernel writes as that takes.
Result<std::size_t> write(int fd, std::span<const std::byte> from, std::int64_t offset);
Result<void> datasync(int fd);
Result<void> close(int fd);

// open, read to the end, close.
Result<PageBuffer> read_whole(const char* path);
// open (create, truncate), write, fdatasync if `durable`, close. The bytes written.
Result<std::size_t> write_whole(const char* path, std::span<const std::byte> from, bool durable);

}  // namespace refloop::file
