#include "reference-loop/file.h"

#include <algorithm>
#include <climits>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "reference-loop/retry.h"
#include "reference-loop/socket.h"
#include "reference-loop/sys.h"

namespace refloop::file {
namespace {

Nanos since_1970(const timespec& time) { return std::chrono::seconds(time.tv_sec) + Nanos(time.tv_nsec); }

// Room for what is to come; the bytes that are there stay.
Result<void> grow(PageBuffer& buffer, std::size_t capacity) {
  PageBuffer larger;
  if (!larger.allocate(capacity)) return failure(Error::no_memory);
  std::copy_n(buffer.data(), buffer.size(), larger.data());
  larger.set_size(buffer.size());
  buffer = std::move(larger);
  return {};
}

}  // namespace

Stat Stat::from(const struct ::stat& status) {
  return {.size_bytes = static_cast<std::uint64_t>(status.st_size),
          .mode = status.st_mode,
          .user = status.st_uid,
          .group = status.st_gid,
          .device = status.st_dev,
          .inode = status.st_ino,
          .links = status.st_nlink,
          .accessed = since_1970(status.st_atim),
          .modified = since_1970(status.st_mtim),
          .changed = since_1970(status.st_ctim)};
}

Type Stat::type() const {
  switch (mode & S_IFMT) {
    case S_IFREG:
      return Type::regular;
    case S_IFDIR:
      return Type::directory;
    case S_IFLNK:
      return Type::symbolic_link;
    case S_IFIFO:
      return Type::fifo;
    case S_IFSOCK:
      return Type::socket;
    case S_IFCHR:
      return Type::character;
    case S_IFBLK:
      return Type::block;
    default:
      return Type::unknown;
  }
}

Result<int> open(const char* path, int flags, mode_t mode) {
  const int fd = retry_interrupted([&] { return sys::open(path, flags | O_CLOEXEC, mode); });
  if (fd < 0) return failure(last_error());
  return fd;
}

// EINTR is success: Linux has released the descriptor, and a retry could close somebody else's.
Result<void> close(int fd) {
  if (sys::close(fd) != 0 && errno != EINTR) return failure(last_error());
  return {};
}

Result<std::size_t> read(int fd, std::span<std::byte> into, std::int64_t offset) {
  const ssize_t size = retry_interrupted([&] {
    return offset < 0 ? sys::read(fd, into.data(), into.size())
                      : sys::pread(fd, into.data(), into.size(), offset);
  });
  if (size < 0) return failure(last_error());
  return static_cast<std::size_t>(size);
}

Result<std::size_t> read(int fd, std::span<const iovec> into, std::int64_t offset) {
  const int count = static_cast<int>(std::min<std::size_t>(into.size(), IOV_MAX + 1));  // refused below
  const ssize_t size = retry_interrupted([&] {
    return offset < 0 ? sys::readv(fd, into.data(), count) : sys::preadv(fd, into.data(), count, offset);
  });
  if (size < 0) return failure(last_error());
  return static_cast<std::size_t>(size);
}

Result<std::size_t> write(int fd, std::span<const std::byte> from, std::int64_t offset) {
  std::size_t written = 0;
  while (written < from.size()) {
    const auto rest = from.subspan(written);
    const ssize_t size = retry_interrupted([&] {
      return offset < 0
                 ? sys::write(fd, rest.data(), rest.size())
                 : sys::pwrite(fd, rest.data(), rest.size(), offset + static_cast<std::int64_t>(written));
    });
    if (size < 0) return failure(last_error());
    if (size == 0)
      return failure(error_from_errno(EIO));  // the kernel never says so of a file; never spin on it
    written += static_cast<std::size_t>(size);
  }
  return written;
}

Result<void> sync(int fd) {
  return succeed([&] { return sys::fsync(fd); });
}

Result<void> datasync(int fd) {
  return succeed([&] { return sys::fdatasync(fd); });
}

Result<Stat> stat(int fd) {
  struct ::stat status;
  if (sys::fstat(fd, &status) != 0) return failure(last_error());
  return Stat::from(status);
}

Result<void> truncate(int fd, std::uint64_t size_bytes) {
  return succeed([&] { return sys::ftruncate(fd, static_cast<off_t>(size_bytes)); });
}

Result<void> chmod(int fd, mode_t mode) {
  return succeed([&] { return sys::fchmod(fd, mode); });
}

Result<PageBuffer> read_whole(const char* path, std::size_t bytes_max) {
  const auto fd = open(path, O_RDONLY);
  if (!fd) return failure(fd.error());
  const Socket owner(*fd);
  const auto status = stat(*fd);
  if (!status) return failure(status.error());
  if (status->size_bytes > bytes_max) return failure(Error::too_large);
  PageBuffer buffer;
  if (!buffer.allocate(status->size_bytes)) return failure(Error::no_memory);
  while (true) {
    // The buffer is larger than the file was, so that one more read sees its end, or that it grew.
    const auto got = read(*fd, {buffer.data() + buffer.size(), buffer.capacity() - buffer.size()}, -1);
    if (!got) return failure(got.error());
    buffer.set_size(buffer.size() + *got);
    if (buffer.size() > bytes_max) return failure(Error::too_large);
    if (*got == 0 || buffer.size() == status->size_bytes) return buffer;
    if (buffer.size() < buffer.capacity()) continue;
    if (const auto grown = grow(buffer, buffer.capacity() * 2); !grown) return failure(grown.error());
  }
}

Result<std::size_t> write_whole(const char* path, std::span<const std::byte> from, bool durable) {
  const auto fd = open(path, O_WRONLY | O_CREAT | O_TRUNC);
  if (!fd) return failure(fd.error());
  Socket owner(*fd);
  const auto written = write(*fd, from, -1);
  if (!written) return written;
  if (durable) {
    if (const auto synced = datasync(*fd); !synced) return failure(synced.error());
  }
  if (const auto closed = close(owner.release()); !closed) return failure(closed.error());
  return written;
}

}  // namespace refloop::file
