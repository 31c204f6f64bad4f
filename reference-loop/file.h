// Files by descriptor, blocking, with typed errors: what FsRequest runs on the pool.
//
// Thread-safe, as the kernel is. Every descriptor is close-on-exec. A call that a signal interrupted is made
// again. Here and in file_names.h and file_copy.h an error is what the kernel said, unless stated.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <sys/types.h>
#include <sys/uio.h>

#include "reference-loop/error.h"
#include "reference-loop/page_buffer.h"
#include "reference-loop/time.h"

struct stat;

namespace refloop::file {

// What a name in a file system stands for.
enum class Type : std::uint8_t { unknown, regular, directory, symbolic_link, fifo, socket, character, block };

struct Stat {
  std::uint64_t size_bytes = 0;
  std::uint32_t mode = 0;  // st_mode: type and permissions
  std::uint32_t user = 0;
  std::uint32_t group = 0;
  std::uint64_t device = 0;  // device and inode together identify the file
  std::uint64_t inode = 0;
  std::uint64_t links = 0;
  Nanos accessed{};  // since 1970
  Nanos modified{};
  Nanos changed{};

  static Stat from(const struct ::stat& status);
  Type type() const;
  bool is_directory() const { return type() == Type::directory; }
};

// `mode`: permissions of a file that is created, before the process's umask.
Result<int> open(const char* path, int flags, mode_t mode = 0644);
// Once: also after an error the descriptor is gone.
Result<void> close(int fd);

// At most into.size() bytes (and at most 2 GiB) at `offset`, or from the current position if that is
// negative. Fewer are not an error; 0: end of file.
Result<std::size_t> read(int fd, std::span<std::byte> into, std::int64_t offset);
// The same into several buffers, filled in their order; at most 1,024, else Error::bad_state.
Result<std::size_t> read(int fd, std::span<const iovec> into, std::int64_t offset);
// All of `from`, in as many kernel writes as that takes.
Result<std::size_t> write(int fd, std::span<const std::byte> from, std::int64_t offset);

// On the device, with all metadata, or only with what is needed to read the bytes again.
Result<void> sync(int fd);
Result<void> datasync(int fd);

Result<Stat> stat(int fd);
// Cut, or filled up with zeroes.
Result<void> truncate(int fd, std::uint64_t size_bytes);
Result<void> chmod(int fd, mode_t mode);

// read_whole() and FsRequest::read_file() refuse larger files with Error::too_large.
inline constexpr std::size_t kReadWholeBytesMax = std::size_t{1} << 31;

// open, read to the end, close. Also files whose size is not known before (as in /proc).
Result<PageBuffer> read_whole(const char* path, std::size_t bytes_max = kReadWholeBytesMax);
// open (create, truncate), write, fdatasync if `durable`, close. The bytes written.
Result<std::size_t> write_whole(const char* path, std::span<const std::byte> from, bool durable);

}  // namespace refloop::file
