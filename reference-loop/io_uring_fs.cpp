// File operations on io_uring, without the pool: LoopOptions::files = ring.
//
// The kernel tries each at once and hands what would block to a thread of its own: a read of cached bytes
// ends in the very call that submits it, most operations by name end later.
#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "reference-loop/fs.h"
#include "reference-loop/io_uring_backend.h"
#include "reference-loop/loop.h"
#include "reference-loop/pool.h"

namespace refloop {
namespace {

// What one read or write of Linux moves at most.
constexpr std::size_t kTransferMax = 0x7ffff000;

unsigned transfer_size(std::size_t size) { return static_cast<unsigned>(std::min(size, kTransferMax)); }

// As pread() and pwrite() have it: negative is the current position.
std::uint64_t offset_at(std::int64_t offset, std::size_t done) {
  return offset < 0 ? ~std::uint64_t{0} : static_cast<std::uint64_t>(offset) + done;
}

Nanos since_epoch(const statx_timestamp& time) {
  return std::chrono::seconds(time.tv_sec) + Nanos(time.tv_nsec);
}

file::Stat stat_of(const struct statx& status) {
  file::Stat stat;
  stat.size_bytes = status.stx_size;
  stat.mode = status.stx_mode;
  stat.user = status.stx_uid;
  stat.group = status.stx_gid;
  stat.device = makedev(status.stx_dev_major, status.stx_dev_minor);
  stat.inode = status.stx_ino;
  stat.links = status.stx_nlink;
  stat.accessed = since_epoch(status.stx_atime);
  stat.modified = since_epoch(status.stx_mtime);
  stat.changed = since_epoch(status.stx_ctime);
  return stat;
}

bool is_ring_verb(const FsRequest& request) {
  switch (request.verb()) {
    case FsVerb::open:
    case FsVerb::close:
    case FsVerb::read:
    case FsVerb::write:
    case FsVerb::fsync:
    case FsVerb::fdatasync:
    case FsVerb::fstat:
    case FsVerb::stat:
    case FsVerb::lstat:
    case FsVerb::unlink:
    case FsVerb::rmdir:
    case FsVerb::rename:
    case FsVerb::link:
    case FsVerb::symlink:
    case FsVerb::mkdir:
      return true;
    default:
      return false;
  }
}

void prepare_by_descriptor(io_uring_sqe* to, FsVerb verb, const FsArguments& a, std::size_t done) {
  switch (verb) {
    case FsVerb::close:
      return io_uring_prep_close(to, a.fd);
    case FsVerb::read:
      return io_uring_prep_read(to, a.fd, a.into.data(), transfer_size(a.into.size()),
                                offset_at(a.offset, 0));
    case FsVerb::write:
      return io_uring_prep_write(to, a.fd, a.from.data() + done, transfer_size(a.from.size() - done),
                                 offset_at(a.offset, done));
    default:
      return io_uring_prep_fsync(to, a.fd, verb == FsVerb::fdatasync ? IORING_FSYNC_DATASYNC : 0);
  }
}

void prepare_by_name(io_uring_sqe* to, FsVerb verb, const FsArguments& a) {
  const char* const path = a.path.c_str();
  const char* const second = a.second_path.c_str();
  switch (verb) {
    case FsVerb::open:
      return io_uring_prep_openat(to, AT_FDCWD, path, a.flags | O_CLOEXEC, a.mode);
    case FsVerb::unlink:
      return io_uring_prep_unlinkat(to, AT_FDCWD, path, 0);
    case FsVerb::rmdir:
      return io_uring_prep_unlinkat(to, AT_FDCWD, path, AT_REMOVEDIR);
    case FsVerb::rename:
      return io_uring_prep_renameat(to, AT_FDCWD, path, AT_FDCWD, second, 0);
    case FsVerb::link:
      return io_uring_prep_linkat(to, AT_FDCWD, path, AT_FDCWD, second, 0);
    case FsVerb::symlink:
      return io_uring_prep_symlinkat(to, path, AT_FDCWD, second);
    default:
      return io_uring_prep_mkdirat(to, AT_FDCWD, path, a.mode);
  }
}

void prepare_stat(io_uring_sqe* to, FsVerb verb, const FsArguments& a, struct statx& status) {
  if (verb == FsVerb::fstat)
    io_uring_prep_statx(to, a.fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &status);
  else
    io_uring_prep_statx(to, AT_FDCWD, a.path.c_str(), verb == FsVerb::lstat ? AT_SYMLINK_NOFOLLOW : 0,
                        STATX_BASIC_STATS, &status);
}

void prepare_file(io_uring_sqe* to, const FsRequest& request, std::size_t done, struct statx& status) {
  const FsArguments& arguments = request.arguments();
  switch (request.verb()) {
    case FsVerb::close:
    case FsVerb::read:
    case FsVerb::write:
    case FsVerb::fsync:
    case FsVerb::fdatasync:
      return prepare_by_descriptor(to, request.verb(), arguments, done);
    case FsVerb::fstat:
    case FsVerb::stat:
    case FsVerb::lstat:
      return prepare_stat(to, request.verb(), arguments, status);
    default:
      return prepare_by_name(to, request.verb(), arguments);
  }
}

}  // namespace

bool IoUringBackend::start(FsRequest& request) {
  if (loop_.options().files != FilesOn::ring || !is_ring_verb(request)) return false;
  FileOperation& operation = file_operations_.allocate();
  operation.request = &request;
  operation.done = 0;
  operation.is_canceled = false;
  submit_file(operation);
  return true;
}

void IoUringBackend::submit_file(FileOperation& operation) {
  io_uring_sqe* const submission = prepare();
  operation.position = ring_.position() - 1;
  prepare_file(submission, *operation.request, operation.done, operation.status);
  submission->user_data = Tag(Operation::file, {.fd = operation.slab_id.index}).user_data();
  new_file_operations_.push_back(&operation);
  has_chores_ = true;
}

// Only what the kernel has not seen has not started.
bool IoUringBackend::cancel(FsRequest& request) {
  for (FileOperation* const operation : new_file_operations_) {
    if (operation->request != &request || operation->done > 0 || operation->is_canceled) continue;
    if (!ring_.is_unsubmitted(operation->position)) continue;
    io_uring_sqe& submission = ring_.submission_at(operation->position);
    const std::uint64_t user_data = submission.user_data;
    io_uring_prep_nop(&submission);
    submission.user_data = user_data;
    operation->is_canceled = true;
    return true;
  }
  return false;
}

bool IoUringBackend::file_completed(const io_uring_cqe& completion) {
  FileOperation& operation = file_operations_.at(static_cast<std::uint32_t>(completion.user_data));
  FsRequest& request = *operation.request;
  std::int32_t result = operation.is_canceled ? -ECANCELED : completion.res;
  if (goes_on(operation, result)) {
    submit_file(operation);
    return false;
  }
  request.value_ = 0;
  if (result < 0 && !(request.verb() == FsVerb::close && result == -EINTR))
    request.error_ = error_from_errno(-result);
  else if (request.verb() == FsVerb::write)
    request.value_ = static_cast<std::int64_t>(operation.done);
  else if (request.verb() == FsVerb::open || request.verb() == FsVerb::read)
    request.value_ = result;
  else if (request.verb() == FsVerb::stat || request.verb() == FsVerb::lstat ||
           request.verb() == FsVerb::fstat)
    request.result_ = stat_of(operation.status);
  file_operations_.free(operation);
  loop_.pool().deliver_native(request);
  return true;
}

// Interrupted, or a write that has more to write.
bool IoUringBackend::goes_on(FileOperation& operation, std::int32_t& result) {
  const FsVerb verb = operation.request->verb();
  if (result == -EINTR) return verb != FsVerb::close;
  if (verb != FsVerb::write || result < 0) return false;
  operation.done += static_cast<std::size_t>(result);
  const std::size_t size = operation.request->arguments().from.size();
  if (operation.done == size) return false;
  if (result == 0) result = -EIO;  // a device that takes nothing and says nothing: an error, no spin
  return result > 0;
}

}  // namespace refloop
