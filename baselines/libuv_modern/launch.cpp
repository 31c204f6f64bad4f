// subject_libuv_modern: becomes the Node.js that carries a modern libuv, which loads the subject as an addon.
//
// An exec, so that the pid stays.

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>
#include <unistd.h>
#include <vector>

namespace {

std::string own_folder() {
  std::array<char, 4096> path;
  const ssize_t size = ::readlink("/proc/self/exe", path.data(), path.size());
  const std::string text(path.data(), size > 0 ? static_cast<size_t>(size) : 0);
  return text.substr(0, text.rfind('/'));
}

}  // namespace

int main(int argc, char** argv) {
  const std::string addon = own_folder() + "/libuv_modern.node";
  std::vector<char*> words = {const_cast<char*>(TICKMARK_NODE), const_cast<char*>(TICKMARK_LOAD_SCRIPT),
                              const_cast<char*>(addon.c_str())};
  words.insert(words.end(), argv + 1, argv + argc);
  words.push_back(nullptr);
  ::execv(words[0], words.data());
  std::fprintf(stderr, "subject_libuv_modern: cannot start '%s': %s; run scripts/fetch-runtimes node@24\n",
               words[0], std::strerror(errno));
  return 3;
}
