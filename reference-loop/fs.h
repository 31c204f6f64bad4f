// File operations on the worker pool: one request, one operation, one hop.
//
// The request is the caller's memory until its callback ran, and can be used again then. Several
// requests in flight are not ordered among each other: chain them where order matters.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "reference-loop/file.h"
#include "reference-loop/loop.h"
#include "reference-loop/pool.h"

namespace refloop {

class FsRequest : public Work {
 public:
  using Callback = void (*)(FsRequest&, Error error);  // none, canceled, or what the kernel said

  explicit FsRequest(Loop& loop) : loop_(loop) {}

  void stat(std::string path, Callback callback);                          // -> stat_result()
  void open(std::string path, int flags, mode_t mode, Callback callback);  // -> value(): the descriptor
  void read(int fd, std::span<std::byte> into, std::int64_t offset, Callback callback);  // -> value(): bytes
  void write(int fd, Bytes from, std::int64_t offset, Callback callback);                // -> value(): bytes
  void datasync(int fd, Callback callback);
  void close(int fd, Callback callback);
  // Compositions in one hop, where libuv needs three or four.
  void read_file(std::string path, Callback callback);  // -> contents()
  // `from` is borrowed until the callback. `durable`: the callback means the bytes are on the device.
  void write_file(std::string path, Bytes from, bool durable, Callback callback);  // -> value(): bytes

  // Not started yet: the callback gets Error::canceled. Else Error::busy.
  Result<void> cancel() { return loop_.pool().cancel(*this); }

  // Valid in and after a callback without error.
  std::int64_t value() const { return value_; }
  const file::Stat& stat_result() const { return stat_; }
  PageBuffer& contents() { return contents_; }
  Loop& loop() const { return loop_; }

 private:
  enum class Operation : std::uint8_t { stat, open, read, write, datasync, close, read_file, write_file };

  void submit(Operation operation, Callback callback);
  void run();
  template <typename T>
  void keep(Result<T> result);

  Loop& loop_;
  Callback callback_ = nullptr;
  Operation operation_ = Operation::stat;
  bool durable_ = false;
  int fd_ = -1;
  int flags_ = 0;
  mode_t mode_ = 0;
  std::int64_t offset_ = 0;
  std::string path_;
  std::span<std::byte> into_;
  Bytes from_;

  Error error_ = Error::none;
  std::int64_t value_ = 0;
  file::Stat stat_;
  PageBuffer contents_;
};

}  // namespace refloop
