// File operations on the worker pool: one request, one operation, one hop.
//
// The request is the caller's memory until its callback ran, and can be used again then. Several
// requests in flight are not ordered among each other: chain them where order matters. Paths are copied;
// bytes and buffers are borrowed until the callback. What each operation does, and its blocking twin:
// file.h, file_names.h, file_copy.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "reference-loop/file.h"
#include "reference-loop/file_copy.h"
#include "reference-loop/file_names.h"
#include "reference-loop/loop.h"
#include "reference-loop/pool.h"

namespace refloop {

enum class FsVerb : std::uint8_t {
  open,
  close,
  read,
  read_vector,
  write,
  fsync,
  fdatasync,
  fstat,
  ftruncate,
  stat,
  lstat,
  access,
  chmod,
  utimes,
  truncate,
  unlink,
  rename,
  link,
  symlink,
  readlink,
  realpath,
  readdir,
  mkdir,
  rmdir,
  mkdtemp,
  copyfile,
  sendfile,
  read_file,
  write_file,
};

// What an operation was asked to do, in a form that a backend can read; each uses what it needs.
struct FsArguments {
  int fd = -1;
  int source_fd = -1;       // of sendfile
  int flags = 0;            // of open and access
  mode_t mode = 0;          // permissions
  std::int64_t offset = 0;  // negative: the current position
  std::uint64_t size = 0;
  Nanos accessed{};
  Nanos modified{};
  std::string path{};
  std::string second_path{};  // the target of rename, link, symlink, copyfile
  std::span<std::byte> into{};
  std::span<const iovec> into_vector{};
  Bytes from{};
  bool durable = false;
  file::CopyOptions copy{};
};

class FsRequest : public Work {
 public:
  using Callback = void (*)(FsRequest&, Error error);  // none, canceled, or what the operation said

  explicit FsRequest(Loop& loop) : loop_(loop) {}

  // By descriptor.
  void open(std::string path, int flags, mode_t mode, Callback callback);  // -> value(): the descriptor
  void close(int fd, Callback callback);
  void read(int fd, std::span<std::byte> into, std::int64_t offset, Callback callback);  // -> value(): bytes
  void read(int fd, std::span<const iovec> into, std::int64_t offset,
            Callback callback);                                            // -> value(): bytes
  void write(int fd, Bytes from, std::int64_t offset, Callback callback);  // -> value(): bytes
  void fsync(int fd, Callback callback);
  void fdatasync(int fd, Callback callback);
  void fstat(int fd, Callback callback);  // -> stat_result()
  void ftruncate(int fd, std::uint64_t size_bytes, Callback callback);

  // By name.
  void stat(std::string path, Callback callback);   // -> stat_result()
  void lstat(std::string path, Callback callback);  // -> stat_result()
  void access(std::string path, int mode, Callback callback);
  void chmod(std::string path, mode_t mode, Callback callback);
  void utimes(std::string path, Nanos accessed, Nanos modified, Callback callback);
  void truncate(std::string path, std::uint64_t size_bytes, Callback callback);
  void unlink(std::string path, Callback callback);
  void rename(std::string source, std::string target, Callback callback);
  void link(std::string existing, std::string added, Callback callback);
  void symlink(std::string pointed_to, std::string added, Callback callback);
  void readlink(std::string path, Callback callback);  // -> text()
  void realpath(std::string path, Callback callback);  // -> text()

  // Directories.
  void readdir(std::string path, Callback callback);  // -> entries(), sorted by name
  void mkdir(std::string path, mode_t mode, Callback callback);
  void rmdir(std::string path, Callback callback);
  void mkdtemp(std::string prefix, Callback callback);  // -> text(): the path

  // From file to file.
  void copyfile(std::string source, std::string target, file::CopyOptions options,
                Callback callback);  // -> value(): bytes
  void sendfile(int target, int source, std::uint64_t offset, std::uint64_t size_bytes,
                Callback callback);  // -> value(): bytes

  // Compositions in one hop, where libuv needs three or four.
  void read_file(std::string path, Callback callback);  // -> contents()
  // `durable`: the callback means the bytes are on the device.
  void write_file(std::string path, Bytes from, bool durable, Callback callback);  // -> value(): bytes

  // Not started yet: the callback gets Error::canceled. Else Error::busy.
  Result<void> cancel();

  // Valid in and after a callback without error, until the next operation; of the operations that say so.
  std::int64_t value() const { return value_; }
  const file::Stat& stat_result() const { return std::get<file::Stat>(result_); }
  PageBuffer& contents() { return std::get<PageBuffer>(result_); }
  const std::string& text() const { return std::get<std::string>(result_); }
  const std::vector<file::DirectoryEntry>& entries() const {
    return std::get<std::vector<file::DirectoryEntry>>(result_);
  }
  Loop& loop() const { return loop_; }

  // For backends.
  FsVerb verb() const { return verb_; }
  const FsArguments& arguments() const { return arguments_; }

 private:
  friend class IoUringBackend;
  using Operation = void (*)(FsRequest&, const FsArguments&);  // on a worker

  void submit(FsVerb verb, Operation run_blocking, Callback callback);
  template <typename T>
  void keep(Result<T> result);

  Loop& loop_;
  Callback callback_ = nullptr;
  Operation run_blocking_ = nullptr;
  FsVerb verb_ = FsVerb::open;
  Error error_ = Error::none;
  std::int64_t value_ = 0;
  FsArguments arguments_;
  std::variant<std::monostate, file::Stat, PageBuffer, std::string, std::vector<file::DirectoryEntry>>
      result_;
};

}  // namespace refloop
