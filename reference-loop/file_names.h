// Files by name: the tree they hang in. Blocking, with typed errors, thread-safe.
#pragma once

#include <string>
#include <vector>

#include "reference-loop/file.h"

namespace refloop::file {

Result<Stat> stat(const char* path);   // of what a symbolic link points to
Result<Stat> lstat(const char* path);  // of the link itself

// `mode`: F_OK, or what this process would like to do: R_OK | W_OK | X_OK.
Result<void> access(const char* path, int mode);
Result<void> chmod(const char* path, mode_t mode);
// Since 1970, and as exact as the file system keeps it.
Result<void> set_times(const char* path, Nanos accessed, Nanos modified);
Result<void> truncate(const char* path, std::uint64_t size_bytes);

Result<void> unlink(const char* path);
// Replaces `target` in one step if it exists.
Result<void> rename(const char* source, const char* target);
Result<void> link(const char* existing, const char* added);
Result<void> symlink(const char* pointed_to, const char* added);
// What the symbolic link holds.
Result<std::string> readlink(const char* path);
// Absolute, without links, "." and "..".
Result<std::string> realpath(const char* path);

struct DirectoryEntry {
  std::string name;
  Type type = Type::unknown;  // of the entry itself, not of what a link points to

  bool operator==(const DirectoryEntry&) const = default;
};

// Without "." and "..", sorted by the bytes of the names, so that two runs see the same order.
Result<std::vector<DirectoryEntry>> readdir(const char* path);
Result<void> mkdir(const char* path, mode_t mode = 0755);
Result<void> rmdir(const char* path);
// Creates a directory whose name is `prefix` and six characters that were free; its path.
Result<std::string> mkdtemp(std::string prefix);

}  // namespace refloop::file
