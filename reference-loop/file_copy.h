// Bytes from file to file inside the kernel, as far as the file systems allow. Blocking, thread-safe.
#pragma once

#include <cstdint>

#include "reference-loop/file.h"

namespace refloop::file {

struct CopyOptions {
  bool exclusive = false;  // a target that exists is EEXIST instead of being replaced
};

// A copy of the bytes and permissions; the number of bytes. Shares the blocks where the file system can
// (FICLONE), else copies inside the kernel (copy_file_range), else through memory. A file copied onto
// itself stays as it is. A copy that fails half-way is removed.
Result<std::uint64_t> copy(const char* source, const char* target, CopyOptions options = {});

// Sends at most `size_bytes` of the file `source` from `offset` to `target`, a socket, pipe or file; the
// number of bytes, fewer only at the end of the file or where a non-blocking target is full. Error::again
// if not a single byte fits. Other errors count only while nothing was sent: else the next call meets them.
Result<std::uint64_t> send(int target, int source, std::uint64_t offset, std::uint64_t size_bytes);

}  // namespace refloop::file
