#include "reference-loop/file_names.h"

#include <algorithm>
#include <climits>
#include <cstdlib>
#include <memory>

#include "reference-loop/retry.h"
#include "reference-loop/sys.h"

namespace refloop::file {
namespace {

timespec from_1970(Nanos time) {
  const auto whole = std::chrono::floor<std::chrono::seconds>(time);
  return {.tv_sec = whole.count(), .tv_nsec = (time - whole).count()};
}

// Not every file system says of what type its entries are; then they are asked one by one.
Type type_of(const std::string& directory, const dirent& entry) {
  switch (entry.d_type) {
    case DT_REG:
      return Type::regular;
    case DT_DIR:
      return Type::directory;
    case DT_LNK:
      return Type::symbolic_link;
    case DT_FIFO:
      return Type::fifo;
    case DT_SOCK:
      return Type::socket;
    case DT_CHR:
      return Type::character;
    case DT_BLK:
      return Type::block;
    default:
      const auto status = lstat((directory + "/" + entry.d_name).c_str());
      return status ? status->type() : Type::unknown;
  }
}

struct CloseDirectory {
  void operator()(DIR* directory) const { sys::closedir(directory); }
};

}  // namespace

Result<Stat> stat(const char* path) {
  struct ::stat status;
  if (sys::stat(path, &status) != 0) return failure(last_error());
  return Stat::from(status);
}

Result<Stat> lstat(const char* path) {
  struct ::stat status;
  if (sys::lstat(path, &status) != 0) return failure(last_error());
  return Stat::from(status);
}

Result<void> access(const char* path, int mode) {
  return succeed([&] { return sys::access(path, mode); });
}

Result<void> chmod(const char* path, mode_t mode) {
  return succeed([&] { return sys::chmod(path, mode); });
}

Result<void> set_times(const char* path, Nanos accessed, Nanos modified) {
  const timespec times[] = {from_1970(accessed), from_1970(modified)};
  return succeed([&] { return sys::utimensat(AT_FDCWD, path, times, 0); });
}

Result<void> truncate(const char* path, std::uint64_t size_bytes) {
  return succeed([&] { return sys::truncate(path, static_cast<off_t>(size_bytes)); });
}

Result<void> unlink(const char* path) {
  return succeed([&] { return sys::unlink(path); });
}

Result<void> rename(const char* source, const char* target) {
  return succeed([&] { return sys::rename(source, target); });
}

Result<void> link(const char* existing, const char* added) {
  return succeed([&] { return sys::link(existing, added); });
}

Result<void> symlink(const char* pointed_to, const char* added) {
  return succeed([&] { return sys::symlink(pointed_to, added); });
}

// The kernel says how many bytes fit, not how many there are: all of the buffer means that there are more.
Result<std::string> readlink(const char* path) {
  std::string text(256, '\0');
  while (true) {
    const ssize_t size = sys::readlink(path, text.data(), text.size());
    if (size < 0) return failure(last_error());
    if (static_cast<std::size_t>(size) < text.size()) {
      text.resize(static_cast<std::size_t>(size));
      return text;
    }
    text.resize(text.size() * 2);
  }
}

Result<std::string> realpath(const char* path) {
  const std::unique_ptr<char, decltype(&std::free)> found(sys::realpath(path, nullptr), std::free);
  if (!found) return failure(last_error());
  return std::string(found.get());
}

Result<std::vector<DirectoryEntry>> readdir(const char* path) {
  const std::unique_ptr<DIR, CloseDirectory> directory(sys::opendir(path));
  if (!directory) return failure(last_error());
  std::vector<DirectoryEntry> entries;
  while (true) {
    errno = 0;  // the only way to tell the end from an error
    const dirent* entry = sys::readdir(directory.get());
    if (!entry && errno != 0) return failure(last_error());
    if (!entry) break;
    const std::string name = entry->d_name;
    if (name != "." && name != "..") entries.push_back({name, type_of(path, *entry)});
  }
  std::ranges::sort(entries, {}, &DirectoryEntry::name);
  return entries;
}

Result<void> mkdir(const char* path, mode_t mode) {
  return succeed([&] { return sys::mkdir(path, mode); });
}

Result<void> rmdir(const char* path) {
  return succeed([&] { return sys::rmdir(path); });
}

Result<std::string> mkdtemp(std::string prefix) {
  prefix += "XXXXXX";
  if (!sys::mkdtemp(prefix.data())) return failure(last_error());
  return prefix;
}

}  // namespace refloop::file
