#include "reference-loop/fs.h"

namespace refloop {

void FsRequest::stat(std::string path, Callback callback) {
  path_ = std::move(path);
  submit(Operation::stat, callback);
}

void FsRequest::open(std::string path, int flags, mode_t mode, Callback callback) {
  path_ = std::move(path);
  flags_ = flags;
  mode_ = mode;
  submit(Operation::open, callback);
}

void FsRequest::read(int fd, std::span<std::byte> into, std::int64_t offset, Callback callback) {
  fd_ = fd;
  into_ = into;
  offset_ = offset;
  submit(Operation::read, callback);
}

void FsRequest::write(int fd, Bytes from, std::int64_t offset, Callback callback) {
  fd_ = fd;
  from_ = from;
  offset_ = offset;
  submit(Operation::write, callback);
}

void FsRequest::datasync(int fd, Callback callback) {
  fd_ = fd;
  submit(Operation::datasync, callback);
}

void FsRequest::close(int fd, Callback callback) {
  fd_ = fd;
  submit(Operation::close, callback);
}

void FsRequest::read_file(std::string path, Callback callback) {
  path_ = std::move(path);
  submit(Operation::read_file, callback);
}

void FsRequest::write_file(std::string path, Bytes from, bool durable, Callback callback) {
  path_ = std::move(path);
  from_ = from;
  durable_ = durable;
  submit(Operation::write_file, callback);
}

void FsRequest::submit(Operation operation, Callback callback) {
  operation_ = operation;
  callback_ = callback;
  error_ = Error::none;
  value_ = 0;
  loop_.pool().submit(
      *this, [](Work& work) { static_cast<FsRequest&>(work).run(); },
      [](Work& work, Error error) {
        auto& request = static_cast<FsRequest&>(work);
        if (request.callback_) request.callback_(request, error != Error::none ? error : request.error_);
      });
}

template <typename T>
void FsRequest::keep(Result<T> result) {
  if (!result) {
    error_ = result.error();
    return;
  }
  if constexpr (std::is_same_v<T, file::Stat>)
    stat_ = *result;
  else if constexpr (std::is_same_v<T, PageBuffer>)
    contents_ = std::move(*result);
  else if constexpr (!std::is_void_v<T>)
    value_ = static_cast<std::int64_t>(*result);
}

// On a worker thread.
void FsRequest::run() {
  switch (operation_) {
    case Operation::stat:
      return keep(file::stat(path_.c_str()));
    case Operation::open:
      return keep(file::open(path_.c_str(), flags_, mode_));
    case Operation::read:
      return keep(file::read(fd_, into_, offset_));
    case Operation::write:
      return keep(file::write(fd_, from_, offset_));
    case Operation::datasync:
      return keep(file::datasync(fd_));
    case Operation::close:
      return keep(file::close(fd_));
    case Operation::read_file:
      return keep(file::read_whole(path_.c_str()));
    case Operation::write_file:
      return keep(file::write_whole(path_.c_str(), from_, durable_));
  }
}

}  // namespace refloop
