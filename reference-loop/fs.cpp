#include "reference-loop/fs.h"

#include <type_traits>
#include <utility>

#include "reference-loop/backend.h"

// Each operation is told once, with its blocking twin beside it.
namespace refloop {

void FsRequest::open(std::string path, int flags, mode_t mode, Callback callback) {
  arguments_ = {.flags = flags, .mode = mode, .path = std::move(path)};
  submit(
      FsVerb::open,
      [](FsRequest& self, const FsArguments& a) { self.keep(file::open(a.path.c_str(), a.flags, a.mode)); },
      callback);
}

void FsRequest::close(int fd, Callback callback) {
  arguments_ = {.fd = fd};
  submit(
      FsVerb::close, [](FsRequest& self, const FsArguments& a) { self.keep(file::close(a.fd)); }, callback);
}

void FsRequest::read(int fd, std::span<std::byte> into, std::int64_t offset, Callback callback) {
  arguments_ = {.fd = fd, .offset = offset, .into = into};
  submit(
      FsVerb::read,
      [](FsRequest& self, const FsArguments& a) { self.keep(file::read(a.fd, a.into, a.offset)); }, callback);
}

void FsRequest::read(int fd, std::span<const iovec> into, std::int64_t offset, Callback callback) {
  arguments_ = {.fd = fd, .offset = offset, .into_vector = into};
  submit(
      FsVerb::read_vector,
      [](FsRequest& self, const FsArguments& a) { self.keep(file::read(a.fd, a.into_vector, a.offset)); },
      callback);
}

void FsRequest::write(int fd, Bytes from, std::int64_t offset, Callback callback) {
  arguments_ = {.fd = fd, .offset = offset, .from = from};
  submit(
      FsVerb::write,
      [](FsRequest& self, const FsArguments& a) { self.keep(file::write(a.fd, a.from, a.offset)); },
      callback);
}

void FsRequest::fsync(int fd, Callback callback) {
  arguments_ = {.fd = fd};
  submit(
      FsVerb::fsync, [](FsRequest& self, const FsArguments& a) { self.keep(file::sync(a.fd)); }, callback);
}

void FsRequest::fdatasync(int fd, Callback callback) {
  arguments_ = {.fd = fd};
  submit(
      FsVerb::fdatasync, [](FsRequest& self, const FsArguments& a) { self.keep(file::datasync(a.fd)); },
      callback);
}

void FsRequest::fstat(int fd, Callback callback) {
  arguments_ = {.fd = fd};
  submit(
      FsVerb::fstat, [](FsRequest& self, const FsArguments& a) { self.keep(file::stat(a.fd)); }, callback);
}

void FsRequest::ftruncate(int fd, std::uint64_t size_bytes, Callback callback) {
  arguments_ = {.fd = fd, .size = size_bytes};
  submit(
      FsVerb::ftruncate,
      [](FsRequest& self, const FsArguments& a) { self.keep(file::truncate(a.fd, a.size)); }, callback);
}

void FsRequest::stat(std::string path, Callback callback) {
  arguments_ = {.path = std::move(path)};
  submit(
      FsVerb::stat, [](FsRequest& self, const FsArguments& a) { self.keep(file::stat(a.path.c_str())); },
      callback);
}

void FsRequest::lstat(std::string path, Callback callback) {
  arguments_ = {.path = std::move(path)};
  submit(
      FsVerb::lstat, [](FsRequest& self, const FsArguments& a) { self.keep(file::lstat(a.path.c_str())); },
      callback);
}

void FsRequest::access(std::string path, int mode, Callback callback) {
  arguments_ = {.flags = mode, .path = std::move(path)};
  submit(
      FsVerb::access,
      [](FsRequest& self, const FsArguments& a) { self.keep(file::access(a.path.c_str(), a.flags)); },
      callback);
}

void FsRequest::chmod(std::string path, mode_t mode, Callback callback) {
  arguments_ = {.mode = mode, .path = std::move(path)};
  submit(
      FsVerb::chmod,
      [](FsRequest& self, const FsArguments& a) { self.keep(file::chmod(a.path.c_str(), a.mode)); },
      callback);
}

void FsRequest::utimes(std::string path, Nanos accessed, Nanos modified, Callback callback) {
  arguments_ = {.accessed = accessed, .modified = modified, .path = std::move(path)};
  submit(
      FsVerb::utimes,
      [](FsRequest& self, const FsArguments& a) {
        self.keep(file::set_times(a.path.c_str(), a.accessed, a.modified));
      },
      callback);
}

void FsRequest::truncate(std::string path, std::uint64_t size_bytes, Callback callback) {
  arguments_ = {.size = size_bytes, .path = std::move(path)};
  submit(
      FsVerb::truncate,
      [](FsRequest& self, const FsArguments& a) { self.keep(file::truncate(a.path.c_str(), a.size)); },
      callback);
}

void FsRequest::unlink(std::string path, Callback callback) {
  arguments_ = {.path = std::move(path)};
  submit(
      FsVerb::unlink, [](FsRequest& self, const FsArguments& a) { self.keep(file::unlink(a.path.c_str())); },
      callback);
}

void FsRequest::rename(std::string source, std::string target, Callback callback) {
  arguments_ = {.path = std::move(source), .second_path = std::move(target)};
  submit(
      FsVerb::rename,
      [](FsRequest& self, const FsArguments& a) {
        self.keep(file::rename(a.path.c_str(), a.second_path.c_str()));
      },
      callback);
}

void FsRequest::link(std::string existing, std::string added, Callback callback) {
  arguments_ = {.path = std::move(existing), .second_path = std::move(added)};
  submit(
      FsVerb::link,
      [](FsRequest& self, const FsArguments& a) {
        self.keep(file::link(a.path.c_str(), a.second_path.c_str()));
      },
      callback);
}

void FsRequest::symlink(std::string pointed_to, std::string added, Callback callback) {
  arguments_ = {.path = std::move(pointed_to), .second_path = std::move(added)};
  submit(
      FsVerb::symlink,
      [](FsRequest& self, const FsArguments& a) {
        self.keep(file::symlink(a.path.c_str(), a.second_path.c_str()));
      },
      callback);
}

void FsRequest::readlink(std::string path, Callback callback) {
  arguments_ = {.path = std::move(path)};
  submit(
      FsVerb::readlink,
      [](FsRequest& self, const FsArguments& a) { self.keep(file::readlink(a.path.c_str())); }, callback);
}

void FsRequest::realpath(std::string path, Callback callback) {
  arguments_ = {.path = std::move(path)};
  submit(
      FsVerb::realpath,
      [](FsRequest& self, const FsArguments& a) { self.keep(file::realpath(a.path.c_str())); }, callback);
}

void FsRequest::readdir(std::string path, Callback callback) {
  arguments_ = {.path = std::move(path)};
  submit(
      FsVerb::readdir,
      [](FsRequest& self, const FsArguments& a) { self.keep(file::readdir(a.path.c_str())); }, callback);
}

void FsRequest::mkdir(std::string path, mode_t mode, Callback callback) {
  arguments_ = {.mode = mode, .path = std::move(path)};
  submit(
      FsVerb::mkdir,
      [](FsRequest& self, const FsArguments& a) { self.keep(file::mkdir(a.path.c_str(), a.mode)); },
      callback);
}

void FsRequest::rmdir(std::string path, Callback callback) {
  arguments_ = {.path = std::move(path)};
  submit(
      FsVerb::rmdir, [](FsRequest& self, const FsArguments& a) { self.keep(file::rmdir(a.path.c_str())); },
      callback);
}

void FsRequest::mkdtemp(std::string prefix, Callback callback) {
  arguments_ = {.path = std::move(prefix)};
  submit(
      FsVerb::mkdtemp, [](FsRequest& self, const FsArguments& a) { self.keep(file::mkdtemp(a.path)); },
      callback);
}

void FsRequest::copyfile(std::string source, std::string target, file::CopyOptions options,
                         Callback callback) {
  arguments_ = {.path = std::move(source), .second_path = std::move(target), .copy = options};
  submit(
      FsVerb::copyfile,
      [](FsRequest& self, const FsArguments& a) {
        self.keep(file::copy(a.path.c_str(), a.second_path.c_str(), a.copy));
      },
      callback);
}

void FsRequest::sendfile(int target, int source, std::uint64_t offset, std::uint64_t size_bytes,
                         Callback callback) {
  arguments_ = {
      .fd = target, .source_fd = source, .offset = static_cast<std::int64_t>(offset), .size = size_bytes};
  submit(
      FsVerb::sendfile,
      [](FsRequest& self, const FsArguments& a) {
        self.keep(file::send(a.fd, a.source_fd, static_cast<std::uint64_t>(a.offset), a.size));
      },
      callback);
}

void FsRequest::read_file(std::string path, Callback callback) {
  arguments_ = {.path = std::move(path)};
  submit(
      FsVerb::read_file,
      [](FsRequest& self, const FsArguments& a) { self.keep(file::read_whole(a.path.c_str())); }, callback);
}

void FsRequest::write_file(std::string path, Bytes from, bool durable, Callback callback) {
  arguments_ = {.path = std::move(path), .from = from, .durable = durable};
  submit(
      FsVerb::write_file,
      [](FsRequest& self, const FsArguments& a) {
        self.keep(file::write_whole(a.path.c_str(), a.from, a.durable));
      },
      callback);
}

Result<void> FsRequest::cancel() {
  if (is_outstanding() && loop_.backend_->cancel(*this)) return {};
  return loop_.pool().cancel(*this);
}

// The backend may carry it out natively; else it goes to a worker.
void FsRequest::submit(FsVerb verb, Operation run_blocking, Callback callback) {
  verb_ = verb;
  run_blocking_ = run_blocking;
  callback_ = callback;
  error_ = Error::none;
  value_ = 0;
  result_ = std::monostate();
  const Work::DoneFunction done = [](Work& work, Error error) {
    auto& self = static_cast<FsRequest&>(work);
    if (self.callback_) self.callback_(self, error != Error::none ? error : self.error_);
  };
  if (loop_.backend_->start(*this)) return loop_.pool().submit_native(*this, done);
  loop_.pool().submit(
      *this,
      [](Work& work) {
        auto& self = static_cast<FsRequest&>(work);
        self.run_blocking_(self, self.arguments_);
      },
      done, WorkClass::fast_io);
}

template <typename T>
void FsRequest::keep(Result<T> result) {
  if (!result)
    error_ = result.error();
  else if constexpr (std::is_integral_v<T>)
    value_ = static_cast<std::int64_t>(*result);
  else if constexpr (!std::is_void_v<T>)
    result_ = std::move(*result);
}

}  // namespace refloop
