#include "reference-loop/file_copy.h"

#include <algorithm>
#include <fcntl.h>
#include <linux/fs.h>

#include "reference-loop/file_names.h"
#include "reference-loop/retry.h"
#include "reference-loop/socket.h"
#include "reference-loop/sys.h"

namespace refloop::file {
namespace {

// What the kernel transfers at most in one call.
constexpr std::uint64_t kTransferBytesMax = 0x7ffff000;
constexpr std::size_t kCopyBufferBytes = 256 * 1024;

// The file systems cannot do it this way; another way may do.
bool is_unsupported(int error) {
  return error == EXDEV || error == EINVAL || error == ENOSYS || error == EOPNOTSUPP || error == EPERM;
}

// Inside the kernel from the current positions on; stops where that is not possible.
Result<std::uint64_t> copy_in_kernel(int source, int target) {
  std::uint64_t copied = 0;
  while (true) {
    const ssize_t size = retry_interrupted(
        [&] { return sys::copy_file_range(source, nullptr, target, nullptr, kTransferBytesMax, 0u); });
    if (size < 0 && !is_unsupported(errno)) return failure(last_error());
    if (size <= 0) return copied;
    copied += static_cast<std::uint64_t>(size);
  }
}

// Through memory from the current positions to the end.
Result<std::uint64_t> copy_through_memory(int source, int target) {
  PageBuffer buffer;
  if (!buffer.allocate(kCopyBufferBytes)) return failure(Error::no_memory);
  std::uint64_t copied = 0;
  while (true) {
    const auto got = read(source, std::span(buffer.data(), kCopyBufferBytes), -1);
    if (!got || *got == 0) return got ? Result<std::uint64_t>(copied) : failure(got.error());
    const auto written = write(target, {buffer.data(), *got}, -1);
    if (!written) return failure(written.error());
    copied += *written;
  }
}

// Memory has the last word: files in /proc say that they are empty, and only reading shows what is there.
Result<std::uint64_t> copy_bytes(int source, int target, std::uint64_t size_bytes) {
  if (size_bytes > 0 && sys::ioctl(target, FICLONE, source) == 0) return size_bytes;
  const auto copied = copy_in_kernel(source, target);
  if (!copied) return copied;
  const auto rest = copy_through_memory(source, target);
  if (!rest) return rest;
  return *copied + *rest;
}

Result<std::uint64_t> replace(int source, const Stat& status, int target) {
  if (const auto emptied = truncate(target, 0); !emptied) return failure(emptied.error());
  // What it was created with went through the umask.
  if (const auto changed = chmod(target, status.mode & 07777); !changed) return failure(changed.error());
  return copy_bytes(source, target, status.size_bytes);
}

}  // namespace

Result<std::uint64_t> copy(const char* source, const char* target, CopyOptions options) {
  const auto from = open(source, O_RDONLY);
  if (!from) return failure(from.error());
  const Socket from_owner(*from);
  const auto status = stat(*from);
  if (!status) return failure(status.error());
  if (status->is_directory()) return failure(error_from_errno(EISDIR));
  const int exclusive = options.exclusive ? O_EXCL : 0;
  const auto to = open(target, O_WRONLY | O_CREAT | exclusive, status->mode & 0777);
  if (!to) return failure(to.error());
  Socket to_owner(*to);
  const auto replaced = stat(*to);
  if (!replaced) return failure(replaced.error());
  if (replaced->device == status->device && replaced->inode == status->inode) return status->size_bytes;
  auto copied = replace(*from, *status, *to);
  const auto closed = close(to_owner.release());
  if (copied && !closed) copied = failure(closed.error());
  if (!copied) (void)unlink(target);
  return copied;
}

Result<std::uint64_t> send(int target, int source, std::uint64_t offset, std::uint64_t size_bytes) {
  auto position = static_cast<off_t>(offset);
  std::uint64_t sent = 0;
  while (sent < size_bytes) {
    const std::size_t wanted = std::min(size_bytes - sent, kTransferBytesMax);
    const ssize_t size = retry_interrupted([&] { return sys::sendfile(target, source, &position, wanted); });
    if (size < 0 && sent == 0) return failure(last_error());
    if (size <= 0) break;
    sent += static_cast<std::uint64_t>(size);
  }
  return sent;
}

}  // namespace refloop::file
