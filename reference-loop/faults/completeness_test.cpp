// Nothing is left out: no call of the loop, no error of a manual page, no way around the seam.
#include <algorithm>
#include <cctype>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <optional>
#include <regex>
#include <set>
#include <sstream>
#include <zlib.h>

#include "reference-loop/faults/registry.h"

namespace refloop::faults::completeness_test {
namespace {

namespace fs = std::filesystem;

std::string text_of(const fs::path& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

std::set<std::string> words_of(const std::string& text, const std::regex& word) {
  std::set<std::string> words;
  for (auto found = std::sregex_iterator(text.begin(), text.end(), word); found != std::sregex_iterator();
       ++found)
    words.insert(found->size() > 1 ? (*found)[1] : (*found)[0]);
  return words;
}

std::set<std::string> errno_names(const std::string& text) {
  return words_of(text, std::regex("\\bE(?!POLL)[A-Z0-9]{2,}\\b"));
}

// The loop's sources, without tests, without the seam.
std::vector<fs::path> loop_sources() {
  std::vector<fs::path> sources;
  for (const char* const folder : {"", "/crypto", "/http", "/tls"}) {
    for (const auto& entry :
         fs::directory_iterator(TICKMARK_SOURCE_DIR "/reference-loop" + std::string(folder))) {
      const std::string name = entry.path().filename();
      const bool is_code = name.ends_with(".cpp") || name.ends_with(".h");
      const bool is_test = name.ends_with("_test.cpp") || name.ends_with("_bench.cpp") ||
                           name.starts_with("test_") || name == "sys.h" || name == "uring_calls.h";
      if (is_code && !is_test) sources.push_back(entry.path());
    }
  }
  return sources;
}

// The calls that sys.h wraps.
std::set<std::string> wrapped_calls() {
  return words_of(text_of(TICKMARK_SOURCE_DIR "/reference-loop/sys.h"),
                  std::regex("\nREFLOOP_SYSTEM_CALL\\((\\w+)\\)"));
}

TEST(FaultRegistry, knows_every_system_call_of_the_loop) {
  std::set<std::string> registered;
  for (const Call& call : registry()) {
    if (!call.name.starts_with("IORING_OP_")) registered.emplace(call.name);
  }
  EXPECT_GT(registered.size(), 20u);
  EXPECT_EQ(wrapped_calls(), registered);
}

// Of io_uring_prep_multishot_accept() and the like, the opcode.
std::string opcode_of(std::string prepared) {
  for (const char* const part : {"multishot_", "_multishot", "64"}) {
    if (const auto at = prepared.find(part); at != std::string::npos) prepared.erase(at, std::strlen(part));
  }
  if (prepared == "cancel") prepared = "async_cancel";
  std::ranges::transform(prepared, prepared.begin(), [](unsigned char c) { return std::toupper(c); });
  return "IORING_OP_" + prepared;
}

TEST(FaultRegistry, knows_all_that_is_submitted_to_a_ring) {
  std::set<std::string> submitted;
  for (const fs::path& source : loop_sources()) {
    for (const std::string& prepared : words_of(text_of(source), std::regex("io_uring_prep_(\\w+)")))
      submitted.insert(opcode_of(prepared));
  }
  std::set<std::string> registered;
  for (const Call& call : registry()) {
    if (call.name.starts_with("IORING_OP_")) registered.emplace(call.name);
  }
  EXPECT_EQ(submitted, registered);
}

// The source of a page, "recv(2), POSIX"; nothing where manual pages are not installed.
std::optional<std::string> manual_page(std::string_view page) {
  const auto bracket = page.find('(');
  const std::string name(page.substr(0, bracket));
  const std::string section(page.substr(bracket + 1, 1));
  const std::string path = "/usr/share/man/man" + section + "/" + name + "." + section + ".gz";
  if (!fs::exists(path)) return std::nullopt;
  const std::unique_ptr<gzFile_s, int (*)(gzFile)> file(gzopen(path.c_str(), "rb"), gzclose);
  std::string text;
  char part[16 * 1024];
  for (int size; (size = gzread(file.get(), part, sizeof(part))) > 0;)
    text.append(part, static_cast<std::size_t>(size));
  return text;
}

// The errors in the headings of a page's ERRORS.
std::set<std::string> errors_of(const std::string& page) {
  std::set<std::string> errors;
  std::istringstream lines(page);
  bool inside = false;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(".SH")) inside = line.starts_with(".SH ERRORS");
    if (inside && line.starts_with(".B")) errors.merge(errno_names(line.substr(0, line.find(" ("))));
  }
  return errors;
}

// What each call's rows say of its errors: the page of a call that is registered for files and for sockets
// is covered by both together.
TEST(FaultRegistry, leaves_out_no_error_of_a_manual_page) {
  std::size_t pages = 0;
  for (const Call& call : registry()) {
    const auto page = manual_page(call.page);
    if (!page) continue;
    ++pages;
    std::set<std::string> known = errno_names(std::string(kBugs));
    known.merge(errno_names(std::string(call.not_injected)));
    for (const Fault& fault : call.faults) known.emplace(fault.name);
    if (known.contains("EAGAIN")) known.insert("EWOULDBLOCK");
    for (const std::string& error : errors_of(*page))
      EXPECT_TRUE(known.contains(error)) << call.name << ": " << call.page << " knows " << error;
  }
  if (pages == 0) GTEST_SKIP() << "no manual pages here";
  EXPECT_GT(pages, 20u);
}

// ::name(...), and the names nobody gives to a function of his own.
TEST(FaultSeam, nobody_goes_around_it) {
  const std::regex around(
      "(?:^|[^\\w>:.])((?:::[a-z]\\w*)|accept4?|copy_file_range|dup[23]?|epoll_\\w+|eventfd|exec[lv]p?e?|"
      "fcntl|"
      "fdatasync|fork|fstat\\w*|fsync|ftruncate|getaddrinfo|getpeername|getsockname|getsockopt|ioctl|"
      "io_uring_(?:enter|get_events|register\\w*|setup\\w*|queue_(?:init|exit)\\w*|submit\\w*|wait\\w*)|"
      "mkdirat|mmap|munmap|openat|pidfd_\\w+|pipe2?|posix_spawnp?|pread\\w*|pthread_\\w+|pwrite\\w*|"
      "readlink|"
      "recvfrom|recvm?msg|sendfile|sendm?msg|sendto|setsockopt|sigaction|signalfd|sigprocmask|socketpair|"
      "splice|statx|syscall|unlinkat|vfork|waitid|waitpid)\\(");
  // A function of ours that is called like the call it makes: file::readlink(), FsRequest::fsync().
  const std::regex declaration("^ *(?:void|Result<[^()]*>) \\w+\\(");
  for (const fs::path& source : loop_sources()) {
    std::ifstream file(source);
    std::size_t number = 0;
    for (std::string line; std::getline(file, line);) {
      ++number;
      const std::string code = line.substr(0, line.find("//"));
      EXPECT_FALSE(std::regex_search(code, around) && !std::regex_search(code, declaration))
          << source.filename() << ":" << number << ": " << code << ": a system call goes through sys.h";
    }
  }
}

}  // namespace
}  // namespace refloop::faults::completeness_test
