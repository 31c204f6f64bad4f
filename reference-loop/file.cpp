#include "reference-loop/file.h"

#include <algorithm>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "reference-loop/socket.h"
#include "reference-loop/sys.h"

namespace refloop::file {
namespace {

template <typename Call>
auto retry_interrupted(Call call) {
  auto result = call();
  while (result < 0 && errno == EINTR) result = call();
  return result;
}

}  // namespace

Result<Stat> stat(const char* path) {
  struct ::stat status;
  if (sys::stat(path, &status) != 0) return failure(last_error());
  return Stat{.size_bytes = static_cast<std::uint64_t>(status.st_size),
              .mode = status.st_mode,
              .modified = std::chrono::seconds(status.st_mtim.tv_sec) + Nanos(status.st_mtim.tv_nsec)};
}

Result<int> open(const char* path, int flags, mode_t mode) {
  const int fd = retry_interrupted([&] { return sys::open(path, flags | O_CLOEXEC, mode); });
  if (fd < 0) return failure(last_error());
  return fd;
}

Result<std::size_t> read(int fd, std::span<std::byte> into, std::int64_t offset) {
  const ssize_t size = retry_interrupted([&] {
    return offset < 0 ? sys::read(fd, into.data(), into.size())
                      : sys::pread(fd, into.data(), into.size(), offset);
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

Result<void> datasync(int fd) {
  if (retry_interrupted([&] { return sys::fdatasync(fd); }) != 0) return failure(last_error());
  return {};
}

// EINTR is success: Linux has released the descriptor, and a retry could close somebody else's.
Result<void> close(int fd) {
  if (sys::close(fd) != 0 && errno != EINTR) return failure(last_error());
  return {};
}

Result<PageBuffer> read_whole(const char* path) {
  const auto fd = open(path, O_RDONLY);
  if (!fd) return failure(fd.error());
  const Socket owner(*fd);
  struct ::stat status;
  if (sys::fstat(*fd, &status) != 0) return failure(last_error());
  PageBuffer buffer;
  if (!buffer.allocate(static_cast<std::size_t>(status.st_size))) return failure(Error::no_memory);
  while (true) {
    // The buffer is larger than the file was, so that one more read sees its end, or that it grew.
    const auto got = read(*fd, {buffer.data() + buffer.size(), buffer.capacity() - buffer.size()}, -1);
    if (!got) return failure(got.error());
    buffer.set_size(buffer.size() + *got);
    if (*got == 0 || buffer.size() == static_cast<std::size_t>(status.st_size)) return buffer;
    if (buffer.size() < buffer.capacity()) continue;
    PageBuffer larger;
    if (!larger.allocate(buffer.capacity() * 2)) return failure(Error::no_memory);
    std::copy_n(buffer.data(), buffer.size(), larger.data());
    larger.set_size(buffer.size());
    buffer = std::move(larger);
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
