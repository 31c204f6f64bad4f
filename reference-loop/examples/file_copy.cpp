// A file copy: file_copy SOURCE TARGET. Four file operations on the worker pool, each begun by the callback
// of the one before it: that chain is what other languages write with await.
#include <array>
#include <cstdio>
#include <fcntl.h>

#include "reference-loop/fs.h"
#include "reference-loop/loop.h"

namespace {

struct Copy : refloop::FsRequest {
  using FsRequest::FsRequest;
  const char* target_path = nullptr;
  int source = -1, target = -1;
  std::int64_t copied = 0;
  std::int64_t chunk_size = 0;
  std::array<std::byte, 64 * 1024> chunk;
  refloop::Error error = refloop::Error::none;
};
Copy& of(refloop::FsRequest& request) { return static_cast<Copy&>(request); }

void read_next(Copy& copy);

void written(refloop::FsRequest& request, refloop::Error error) {
  Copy& copy = of(request);
  copy.error =
      error != refloop::Error::none || copy.value() == copy.chunk_size ? error : refloop::Error::again;
  if (copy.error != refloop::Error::none) return;
  copy.copied += copy.chunk_size;
  read_next(copy);
}

void read_next(Copy& copy) {
  copy.read(copy.source, copy.chunk, copy.copied, [](refloop::FsRequest& request, refloop::Error error) {
    of(request).error = error;
    of(request).chunk_size = error == refloop::Error::none ? request.value() : 0;
    if (of(request).chunk_size == 0) return;  // the end of the file, or an error: nothing is begun any more
    const auto chunk = std::span(of(request).chunk).first(static_cast<std::size_t>(of(request).chunk_size));
    request.write(of(request).target, chunk, of(request).copied, written);
  });
}

void target_opened(refloop::FsRequest& request, refloop::Error error) {
  of(request).error = error;
  if (error != refloop::Error::none) return;
  of(request).target = static_cast<int>(request.value());
  read_next(of(request));
}

void source_opened(refloop::FsRequest& request, refloop::Error error) {
  of(request).error = error;
  if (error != refloop::Error::none) return;
  of(request).source = static_cast<int>(request.value());
  request.open(of(request).target_path, O_WRONLY | O_CREAT | O_TRUNC, 0644, target_opened);
}

}  // namespace

int main(int argc, char** argv) {
  const auto loop = refloop::Loop::create();
  if (!loop || argc != 3) return 2;
  Copy copy(**loop);
  copy.target_path = argv[2];
  copy.open(argv[1], O_RDONLY, 0, source_opened);
  (*loop)->run();
  for (const int fd : {copy.source, copy.target}) {
    if (fd >= 0) ::close(fd);
  }
  std::printf("%lld bytes copied: %s\n", static_cast<long long>(copy.copied),
              refloop::message_of(copy.error).data());
  return copy.error == refloop::Error::none ? 0 : 1;
}
