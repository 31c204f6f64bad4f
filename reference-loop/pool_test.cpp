#include "reference-loop/pool.h"

#include <algorithm>
#include <cstring>
#include <fcntl.h>
#include <future>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "reference-loop/fs.h"
#include "reference-loop/test_log.h"
#include "reference-loop/test_loop.h"

namespace refloop {
namespace {

struct PoolTest : ::testing::Test {
  std::unique_ptr<Loop> loop = make_loop({.pool_size = 1});
  Log log;
  std::promise<void> gate;
  std::shared_future<void> opened = gate.get_future().share();

  // Occupies the only thread until `gate` opens, and waits until it does.
  void occupy() {
    std::promise<void> running;
    auto is_running = running.get_future();
    loop->pool().submit(
        [&running, this] {
          running.set_value();
          opened.wait();
        },
        [this](Error error) { log.push_back("occupier " + std::string(name_of(error))); });
    is_running.wait();
  }
  Work& submit(std::string label) {
    return loop->pool().submit(
        [] {}, [this, label](Error error) { log.push_back(label + " " + std::string(name_of(error))); });
  }
};

TEST_F(PoolTest, one_thread_completes_in_the_order_of_submission_on_the_loop_thread) {
  if (is_simulated()) GTEST_SKIP() << "it looks at real threads";
  const auto loop_thread = std::this_thread::get_id();
  for (const char* label : {"a", "b", "c"}) {
    loop->pool().submit([loop_thread] { EXPECT_NE(std::this_thread::get_id(), loop_thread); },
                        [this, label, loop_thread](Error) {
                          EXPECT_EQ(std::this_thread::get_id(), loop_thread);
                          EXPECT_EQ(loop->phase(), Phase::poll);
                          log.push_back(label);
                        });
  }
  EXPECT_EQ(log, Log{});
  EXPECT_TRUE(loop->alive());
  EXPECT_FALSE(loop->run());
  EXPECT_EQ(log, (Log{"a", "b", "c"}));
}

TEST_F(PoolTest, cancel_ends_waiting_work_later_and_once_and_refuses_running_work) {
  if (is_simulated()) GTEST_SKIP() << "it blocks a real thread";
  occupy();
  bool ran = false;
  Work& waiting = loop->pool().submit(
      [&] { ran = true; }, [this](Error error) { log.push_back("waiting " + std::string(name_of(error))); });
  submit("next");
  EXPECT_TRUE(loop->pool().cancel(waiting));
  EXPECT_EQ(loop->pool().cancel(waiting).error(), Error::busy) << "it was cancelled already";
  EXPECT_EQ(log, Log{}) << "never inside cancel()";
  loop->run(RunMode::nowait);
  EXPECT_EQ(log, Log{"waiting ECANCELED"}) << "overtakes what still runs";
  gate.set_value();
  EXPECT_FALSE(loop->run());
  EXPECT_FALSE(ran);
  EXPECT_EQ(log, (Log{"waiting ECANCELED", "occupier OK", "next OK"}));
}

TEST_F(PoolTest, running_and_finished_work_cannot_be_canceled) {
  if (is_simulated()) GTEST_SKIP() << "it blocks a real thread";
  struct Gated : UserWork {
    std::promise<void> started;
    std::shared_future<void> opened;
    Log* log = nullptr;
  } work;
  work.opened = opened;
  work.log = &log;
  loop->pool().submit(
      work,
      [](Work& self) {
        static_cast<Gated&>(self).started.set_value();
        static_cast<Gated&>(self).opened.wait();
      },
      [](Work& self, Error error) { static_cast<Gated&>(self).log->push_back(std::string(name_of(error))); });
  work.started.get_future().wait();
  EXPECT_EQ(loop->pool().cancel(work).error(), Error::busy) << "running";
  gate.set_value();
  loop->run();
  EXPECT_EQ(log, Log{"OK"});
  EXPECT_EQ(loop->pool().cancel(work).error(), Error::busy) << "finished";
}

TEST_F(PoolTest, many_threads_complete_everything_exactly_once) {
  auto wide = make_loop({.pool_size = 8});
  std::vector<int> completions(5000);
  for (int& count : completions) wide->pool().submit([] {}, [&count](Error) { ++count; });
  EXPECT_FALSE(wide->run());
  EXPECT_EQ(completions, std::vector<int>(5000, 1));
}

TEST_F(PoolTest, work_submitted_by_a_completion_keeps_the_loop_alive) {
  int left = 100;
  std::function<void()> next = [&] {
    loop->pool().submit([] {},
                        [&](Error) {
                          if (--left > 0) next();
                        });
  };
  next();
  EXPECT_FALSE(loop->run());
  EXPECT_EQ(left, 0);
}

struct FsTest : PoolTest {
  std::string folder = [] {
    std::string path = ::testing::TempDir() + "refloop_fs_XXXXXX";
    return std::string(mkdtemp(path.data()));
  }();
  std::string file = folder + "/file";
  FsRequest request{*loop};
  Error outcome = Error::none;

  void SetUp() override { request.data = this; }
  void TearDown() override {
    unlink(file.c_str());
    rmdir(folder.c_str());
  }
  static void keep(FsRequest& self, Error error) { static_cast<FsTest*>(self.data)->outcome = error; }
};

TEST_F(FsTest, writes_and_reads_whole_files) {
  for (const std::size_t size : {0ul, 1ul, 4096ul, 1ul << 20}) {
    std::string text(size, 'x');
    for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>(i * 31);
    request.write_file(file, as_bytes(text), size == 1, keep);
    loop->run();
    ASSERT_EQ(outcome, Error::none);
    EXPECT_EQ(request.value(), static_cast<std::int64_t>(size));
    request.stat(file, keep);
    loop->run();
    EXPECT_EQ(request.stat_result().size_bytes, size);
    request.read_file(file, keep);
    loop->run();
    ASSERT_EQ(outcome, Error::none);
    const Bytes got = request.contents().bytes();
    EXPECT_TRUE(std::ranges::equal(got, as_bytes(text)));
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(request.contents().data()) % PageBuffer::kPageBytes, 0u);
  }
}

TEST_F(FsTest, opens_writes_syncs_reads_and_closes_by_descriptor) {
  request.open(file, O_RDWR | O_CREAT, 0600, keep);
  loop->run();
  const int fd = static_cast<int>(request.value());
  request.write(fd, as_bytes("hello world"), 0, keep);
  loop->run();
  EXPECT_EQ(request.value(), 11);
  request.datasync(fd, keep);
  loop->run();
  EXPECT_EQ(outcome, Error::none);
  std::array<std::byte, 32> buffer;
  request.read(fd, buffer, 6, keep);
  loop->run();
  EXPECT_EQ(request.value(), 5);
  EXPECT_EQ(std::memcmp(buffer.data(), "world", 5), 0);
  request.close(fd, keep);
  loop->run();
  EXPECT_EQ(outcome, Error::none);
  EXPECT_EQ(fcntl(fd, F_GETFD), -1);
}

TEST_F(FsTest, reports_what_the_kernel_said_and_recovers) {
  request.read_file(folder + "/missing", keep);
  loop->run();
  EXPECT_EQ(name_of(outcome), "ENOENT");
  request.read_file(folder, keep);
  loop->run();
  EXPECT_EQ(name_of(outcome), "EISDIR");
  request.read_file("/proc/self/status", keep);  // its size is said to be 0
  loop->run();
  EXPECT_EQ(outcome, Error::none);
  EXPECT_GT(request.contents().size(), 100u);
}

TEST_F(FsTest, a_waiting_request_can_be_canceled) {
  if (is_simulated()) GTEST_SKIP() << "it blocks a real thread";
  occupy();
  request.stat(file, keep);
  EXPECT_TRUE(request.cancel());
  EXPECT_EQ(outcome, Error::none);
  gate.set_value();
  loop->run();
  EXPECT_EQ(outcome, Error::canceled);
}

}  // namespace
}  // namespace refloop
