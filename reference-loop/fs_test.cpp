#include "reference-loop/fs.h"

#include <algorithm>
#include <array>
#include <climits>
#include <fcntl.h>
#include <filesystem>
#include <future>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "reference-loop/test_log.h"
#include "reference-loop/test_loop.h"

namespace refloop::fs_test {
namespace {

using namespace std::chrono_literals;
using file::DirectoryEntry;
using file::Type;

std::string text_of(Bytes bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

struct FsTest : ::testing::Test {
  std::unique_ptr<Loop> loop = make_loop({.pool_size = 1});
  std::string folder = file::mkdtemp(::testing::TempDir() + "refloop_fs_").value();
  std::string file = folder + "/file";
  std::string other = folder + "/other";
  FsRequest request{*loop};
  Error outcome = Error::none;

  void SetUp() override { request.data = this; }
  void TearDown() override { std::filesystem::remove_all(folder); }
  static void keep(FsRequest& self, Error error) { static_cast<FsTest*>(self.data)->outcome = error; }

  // Starts an operation and runs the loop until it has ended. Its error.
  template <typename Start>
  std::string run(Start start) {
    outcome = Error::busy;
    start();
    EXPECT_EQ(outcome, Error::busy) << "never inside the call";
    loop->run();
    return std::string(name_of(outcome));
  }
  void create(const std::string& path, std::string_view text) {
    ASSERT_TRUE(file::write_whole(path.c_str(), as_bytes(text), false));
  }
  std::string content(const std::string& path) {
    const auto buffer = file::read_whole(path.c_str());
    return buffer ? text_of(buffer->bytes()) : std::string(name_of(buffer.error()));
  }
};

TEST_F(FsTest, writes_and_reads_whole_files) {
  for (const std::size_t size : {0ul, 1ul, 4096ul, 1ul << 20}) {
    std::string text(size, 'x');
    for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>(i * 31);
    ASSERT_EQ(run([&] { request.write_file(file, as_bytes(text), size == 1, keep); }), "OK");
    EXPECT_EQ(request.value(), static_cast<std::int64_t>(size));
    ASSERT_EQ(run([&] { request.stat(file, keep); }), "OK");
    EXPECT_EQ(request.stat_result().size_bytes, size);
    ASSERT_EQ(run([&] { request.read_file(file, keep); }), "OK");
    EXPECT_TRUE(std::ranges::equal(request.contents().bytes(), as_bytes(text)));
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(request.contents().data()) % PageBuffer::kPageBytes, 0u);
  }
}

TEST_F(FsTest, reads_files_whose_size_is_not_known_before) {
  ASSERT_EQ(run([&] { request.read_file("/proc/self/status", keep); }), "OK");
  EXPECT_GT(request.contents().size(), 100u);
}

TEST_F(FsTest, refuses_to_read_whole_what_exceeds_the_limit) {
  create(file, "12345");
  EXPECT_EQ(text_of(file::read_whole(file.c_str(), 5)->bytes()), "12345");
  EXPECT_EQ(file::read_whole(file.c_str(), 4).error(), Error::too_large);
  EXPECT_EQ(file::read_whole("/proc/self/status", 4).error(), Error::too_large) << "its size is said to be 0";
}

TEST_F(FsTest, opens_writes_syncs_reads_and_closes_by_descriptor) {
  ASSERT_EQ(run([&] { request.open(file, O_RDWR | O_CREAT, 0600, keep); }), "OK");
  const int fd = static_cast<int>(request.value());
  EXPECT_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
  ASSERT_EQ(run([&] { request.write(fd, as_bytes("hello world"), 0, keep); }), "OK");
  EXPECT_EQ(request.value(), 11);
  EXPECT_EQ(run([&] { request.fdatasync(fd, keep); }), "OK");
  EXPECT_EQ(run([&] { request.fsync(fd, keep); }), "OK");
  std::array<std::byte, 32> buffer;
  ASSERT_EQ(run([&] { request.read(fd, buffer, 6, keep); }), "OK");
  EXPECT_EQ(text_of(Bytes(buffer).first(static_cast<std::size_t>(request.value()))), "world");
  EXPECT_EQ(run([&] { request.ftruncate(fd, 5, keep); }), "OK");
  ASSERT_EQ(run([&] { request.fstat(fd, keep); }), "OK");
  EXPECT_EQ(request.stat_result().size_bytes, 5u);
  EXPECT_EQ(request.stat_result().type(), Type::regular);
  EXPECT_EQ(request.stat_result().mode & 0777u, 0600u);
  EXPECT_EQ(run([&] { request.close(fd, keep); }), "OK");
  EXPECT_EQ(fcntl(fd, F_GETFD), -1);
  EXPECT_EQ(run([&] { request.close(fd, keep); }), "EBADF");
}

TEST_F(FsTest, a_negative_offset_is_the_current_position) {
  create(file, "abcdef");
  const int fd = file::open(file.c_str(), O_RDWR).value();
  std::array<std::byte, 3> buffer;
  for (const char* expected : {"abc", "def", ""}) {
    ASSERT_EQ(run([&] { request.read(fd, buffer, -1, keep); }), "OK");
    EXPECT_EQ(text_of(Bytes(buffer).first(static_cast<std::size_t>(request.value()))), expected);
  }
  ASSERT_EQ(run([&] { request.write(fd, as_bytes("ghi"), -1, keep); }), "OK");
  EXPECT_EQ(content(file), "abcdefghi");
  (void)file::close(fd);
}

TEST_F(FsTest, reads_into_several_buffers_in_their_order) {
  create(file, "hello world");
  const int fd = file::open(file.c_str(), O_RDONLY).value();
  std::string first(6, ' ');
  std::string second(9, ' ');
  const std::array<iovec, 2> buffers{{{first.data(), first.size()}, {second.data(), second.size()}}};
  ASSERT_EQ(run([&] { request.read(fd, buffers, 0, keep); }), "OK");
  EXPECT_EQ(request.value(), 11);
  EXPECT_EQ(first + second, "hello world    ");
  const std::vector<iovec> too_many(IOV_MAX + 1);
  EXPECT_EQ(run([&] { request.read(fd, too_many, 0, keep); }), "EINVAL");
  (void)file::close(fd);
}

TEST_F(FsTest, changes_what_a_file_is_said_to_be) {
  create(file, "text");
  EXPECT_EQ(run([&] { request.chmod(file, 0400, keep); }), "OK");
  EXPECT_EQ(run([&] { request.utimes(file, -1500ms, 2s + 3ns, keep); }), "OK");
  ASSERT_EQ(run([&] { request.stat(file, keep); }), "OK");
  EXPECT_EQ(request.stat_result().mode & 0777u, 0400u);
  EXPECT_EQ(request.stat_result().accessed, -1500ms);
  EXPECT_EQ(request.stat_result().modified, 2s + 3ns);
  EXPECT_EQ(request.stat_result().links, 1u);
}

TEST_F(FsTest, cuts_and_fills_up_by_name) {
  create(file, "hello");
  EXPECT_EQ(run([&] { request.truncate(file, 7, keep); }), "OK");
  EXPECT_EQ(content(file), std::string("hello\0\0", 7));
  EXPECT_EQ(run([&] { request.truncate(file, 2, keep); }), "OK");
  EXPECT_EQ(content(file), "he");
}

TEST_F(FsTest, renames_links_and_unlinks) {
  create(file, "text");
  EXPECT_EQ(run([&] { request.access(file, R_OK, keep); }), "OK");
  EXPECT_EQ(run([&] { request.rename(file, other, keep); }), "OK");
  EXPECT_EQ(run([&] { request.access(file, F_OK, keep); }), "ENOENT");
  EXPECT_EQ(run([&] { request.link(other, file, keep); }), "OK");
  EXPECT_EQ(run([&] { request.link(other, file, keep); }), "EEXIST");
  ASSERT_EQ(run([&] { request.stat(file, keep); }), "OK");
  EXPECT_EQ(request.stat_result().links, 2u);
  EXPECT_EQ(run([&] { request.unlink(other, keep); }), "OK");
  EXPECT_EQ(run([&] { request.unlink(other, keep); }), "ENOENT");
  EXPECT_EQ(content(file), "text");
}

TEST_F(FsTest, follows_symbolic_links_or_not) {
  create(file, "text");
  const std::string link = folder + "/link";
  EXPECT_EQ(run([&] { request.symlink(file, link, keep); }), "OK");
  ASSERT_EQ(run([&] { request.readlink(link, keep); }), "OK");
  EXPECT_EQ(request.text(), file);
  ASSERT_EQ(run([&] { request.stat(link, keep); }), "OK");
  EXPECT_EQ(request.stat_result().type(), Type::regular);
  ASSERT_EQ(run([&] { request.lstat(link, keep); }), "OK");
  EXPECT_EQ(request.stat_result().type(), Type::symbolic_link);
  ASSERT_EQ(run([&] { request.realpath(folder + "/./link", keep); }), "OK");
  EXPECT_EQ(request.text(), std::filesystem::canonical(file).string());
  EXPECT_EQ(run([&] { request.readlink(file, keep); }), "EINVAL") << "not a link";
  const std::string long_target(1000, 'x');
  ASSERT_EQ(run([&] { request.symlink(long_target, other, keep); }), "OK");
  ASSERT_EQ(run([&] { request.readlink(other, keep); }), "OK");
  EXPECT_EQ(request.text(), long_target);
}

TEST_F(FsTest, lists_directories_sorted_by_name_with_types) {
  create(folder + "/b", "");
  create(folder + "/B", "");
  ASSERT_EQ(run([&] { request.mkdir(folder + "/c", 0700, keep); }), "OK");
  ASSERT_EQ(run([&] { request.symlink("c", folder + "/a", keep); }), "OK");
  ASSERT_EQ(run([&] { request.readdir(folder, keep); }), "OK");
  EXPECT_EQ(
      request.entries(),
      (std::vector<DirectoryEntry>{
          {"B", Type::regular}, {"a", Type::symbolic_link}, {"b", Type::regular}, {"c", Type::directory}}));
  EXPECT_EQ(run([&] { request.readdir(folder + "/b", keep); }), "ENOTDIR");
}

TEST_F(FsTest, creates_and_removes_directories) {
  EXPECT_EQ(run([&] { request.mkdir(other, 0700, keep); }), "OK");
  EXPECT_EQ(run([&] { request.mkdir(other, 0700, keep); }), "EEXIST");
  create(other + "/file", "");
  EXPECT_EQ(run([&] { request.rmdir(other, keep); }), "ENOTEMPTY");
  EXPECT_EQ(run([&] { request.unlink(other + "/file", keep); }), "OK");
  EXPECT_EQ(run([&] { request.rmdir(other, keep); }), "OK");
  ASSERT_EQ(run([&] { request.mkdtemp(folder + "/new-", keep); }), "OK");
  EXPECT_TRUE(std::filesystem::is_directory(request.text()));
  EXPECT_EQ(request.text().find(folder + "/new-"), 0u);
}

TEST_F(FsTest, copies_files) {
  const std::string text(300'000, 'x');
  create(file, text);
  create(other, std::string(400'000, 'y'));
  (void)file::chmod(file.c_str(), 0640);
  ASSERT_EQ(run([&] { request.copyfile(file, other, {}, keep); }), "OK");
  EXPECT_EQ(request.value(), 300'000);
  EXPECT_EQ(content(other), text) << "nothing is left of the longer file";
  EXPECT_EQ(file::stat(other.c_str())->mode & 0777u, 0640u);
  EXPECT_EQ(run([&] { request.copyfile(file, other, {.exclusive = true}, keep); }), "EEXIST");
  ASSERT_EQ(run([&] { request.copyfile(file, file, {}, keep); }), "OK") << "onto itself";
  EXPECT_EQ(content(file), text);
}

TEST_F(FsTest, copies_what_cannot_be_copied_inside_the_kernel) {
  ASSERT_EQ(run([&] { request.copyfile("/proc/self/limits", other, {}, keep); }), "OK");
  EXPECT_GT(request.value(), 100);
  EXPECT_EQ(static_cast<std::int64_t>(content(other).size()), request.value());
}

TEST_F(FsTest, a_copy_that_fails_leaves_nothing) {
  EXPECT_EQ(run([&] { request.copyfile(file, other, {}, keep); }), "ENOENT");
  EXPECT_EQ(run([&] { request.copyfile(folder, other, {}, keep); }), "EISDIR");
  EXPECT_FALSE(std::filesystem::exists(other));
}

TEST_F(FsTest, sends_a_file_to_a_socket) {
  create(file, "hello world");
  const int source = file::open(file.c_str(), O_RDONLY).value();
  int ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
  ASSERT_EQ(run([&] { request.sendfile(ends[0], source, 6, 100, keep); }), "OK");
  EXPECT_EQ(request.value(), 5) << "the file ends there";
  std::array<std::byte, 32> buffer;
  EXPECT_EQ(text_of(Bytes(buffer).first(file::read(ends[1], buffer, -1).value())), "world");
  for (const int fd : {source, ends[0], ends[1]}) (void)file::close(fd);
}

TEST_F(FsTest, sends_what_fits_into_a_non_blocking_socket) {
  create(file, std::string(4 << 20, 'x'));
  const int source = file::open(file.c_str(), O_RDONLY).value();
  int ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), 0);
  ASSERT_EQ(run([&] { request.sendfile(ends[0], source, 0, 4 << 20, keep); }), "OK");
  EXPECT_GT(request.value(), 0);
  EXPECT_LT(request.value(), 4 << 20);
  EXPECT_EQ(run([&] { request.sendfile(ends[0], source, 0, 4 << 20, keep); }), "EAGAIN");
  for (const int fd : {source, ends[0], ends[1]}) (void)file::close(fd);
}

TEST_F(FsTest, reports_what_the_kernel_said_and_can_be_used_again) {
  EXPECT_EQ(run([&] { request.read_file(folder + "/missing", keep); }), "ENOENT");
  EXPECT_EQ(run([&] { request.read_file(folder, keep); }), "EISDIR");
  EXPECT_EQ(run([&] { request.open(folder + "/missing", O_RDONLY, 0, keep); }), "ENOENT");
  EXPECT_EQ(run([&] { request.readdir(folder, keep); }), "OK");
}

TEST_F(FsTest, a_waiting_request_can_be_canceled) {
  if (is_simulated()) GTEST_SKIP() << "it blocks a real thread";
  std::promise<void> gate;
  loop->pool().submit([&] { gate.get_future().wait(); }, nullptr);
  request.unlink(file, keep);
  create(file, "text");
  EXPECT_TRUE(request.cancel());
  EXPECT_EQ(request.cancel().error(), Error::busy);
  EXPECT_EQ(outcome, Error::none);
  gate.set_value();
  loop->run();
  EXPECT_EQ(outcome, Error::canceled);
  EXPECT_EQ(content(file), "text");
}

}  // namespace
}  // namespace refloop::fs_test
