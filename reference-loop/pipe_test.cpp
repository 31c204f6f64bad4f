#include "reference-loop/pipe.h"

#include <algorithm>
#include <deque>
#include <dirent.h>
#include <gtest/gtest.h>
#include <string>
#include <sys/stat.h>
#include <unistd.h>

#include "reference-loop/listener.h"
#include "reference-loop/test_descriptors.h"
#include "reference-loop/test_log.h"
#include "reference-loop/test_loop.h"

namespace refloop::pipe_test {
namespace {

// One end of a pipe, with what arrived at it.
struct End : Pipe {
  using Pipe::Pipe;
  std::string text;
  std::optional<Error> ended;
  std::function<void(Bytes)> on_data;
  void read() {
    ASSERT_TRUE(read_start(
        [](Stream& stream, Bytes bytes) {
          auto& self = static_cast<End&>(stream);
          self.text.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
          if (self.on_data) self.on_data(bytes);
        },
        [](Stream& stream, Error error) { static_cast<End&>(stream).ended = error; }));
  }
};

struct PipeTest : ::testing::Test {
  std::unique_ptr<Loop> loop = make_loop();
  std::deque<End> ends;
  std::deque<PlainWrite> writes;
  Log log;

  End& make(PipeOptions options = {}) { return ends.emplace_back(*loop, options); }
  std::pair<End&, End&> make_connected(PipeOptions options = {}) {
    auto pair = Pipe::make_pair().value();
    End& a = make(options);
    End& b = make(options);
    EXPECT_TRUE(a.adopt(std::move(pair.first)));
    EXPECT_TRUE(b.adopt(std::move(pair.second)));
    return {a, b};
  }
  Result<void> pass(End& from, std::string_view bytes, Socket descriptor) {
    PlainWrite& write = writes.emplace_back();
    write.data = &log;
    return from.write(write, as_bytes(bytes), std::move(descriptor), [](WriteRequest& self, Error error) {
      static_cast<Log*>(self.data)->emplace_back(name_of(error));
    });
  }
  void run_until(const std::function<bool()>& condition) {
    while (!condition() && loop->alive()) loop->run(RunMode::once);
    ASSERT_TRUE(condition()) << "the loop has nothing left to do";
  }
  void SetUp() override {
    if (is_simulated()) GTEST_SKIP() << "needs the kernel";
  }
  void TearDown() override {
    for (End& end : ends) {
      if (!end.is_closing()) end.close();
    }
    EXPECT_FALSE(loop->run());
  }
};

// A descriptor that says who it is: the read end of a pipe that holds one letter and its end.
Socket labelled(char letter) {
  int fds[2];
  EXPECT_EQ(pipe2(fds, O_CLOEXEC), 0);
  EXPECT_EQ(::write(fds[1], &letter, 1), 1);
  ::close(fds[1]);
  return Socket(fds[0]);
}
char label_of(const Socket& socket) {
  char letter = '?';
  EXPECT_EQ(::read(socket.fd(), &letter, 1), 1);
  return letter;
}

TEST_F(PipeTest, connects_by_path_and_the_listener_removes_its_file) {
  const std::string path = ::testing::TempDir() + "refloop_pipe_test." + std::to_string(getpid());
  const Address address = Address::unix_path(path).value();
  EXPECT_EQ(address.host(), path);
  EXPECT_EQ(address.port(), 0);
  Listener listener(*loop);
  listener.data = this;
  const auto on_accept = [](Listener& self, Socket socket) {
    auto& test = *static_cast<PipeTest*>(self.data);
    End& end = test.make();
    ASSERT_TRUE(end.adopt(std::move(socket)));
    end.read();
  };
  ASSERT_TRUE(listener.listen(address, {}, on_accept));
  Listener second(*loop);
  EXPECT_EQ(second.listen(address, {}, on_accept).error(), Error::address_in_use);
  EXPECT_EQ(::access(path.c_str(), F_OK), 0) << "a refused one removes nothing";
  End& client = make();
  ASSERT_TRUE(client.connect(address, [](Stream& self, Error error) {
    EXPECT_EQ(error, Error::none);
    EXPECT_TRUE(self.send(as_bytes("hello")));
  }));
  run_until([&] { return ends.size() == 2 && ends[1].text == "hello"; });
  listener.close();
  second.close();
  EXPECT_NE(::access(path.c_str(), F_OK), 0);
  End& late = make();
  static Error outcome;
  outcome = Error::none;
  ASSERT_TRUE(late.connect(address, [](Stream&, Error error) { outcome = error; }));
  loop->run(RunMode::nowait);
  EXPECT_EQ(name_of(outcome), "ENOENT");
}

TEST_F(PipeTest, connects_by_abstract_name) {
  const std::string name = "refloop_pipe_test\0." + std::to_string(getpid());
  const Address address = Address::unix_abstract(name).value();
  EXPECT_EQ(address.host(), "@" + name);
  Listener listener(*loop);
  listener.data = this;
  ASSERT_TRUE(listener.listen(address, {}, [](Listener& self, Socket) {
    static_cast<PipeTest*>(self.data)->log.push_back("accepted");
    self.close();
  }));
  EXPECT_EQ(listener.local_address()->host(), "@" + name);
  End& client = make();
  ASSERT_TRUE(client.connect(address, [](Stream&, Error error) { EXPECT_EQ(error, Error::none); }));
  EXPECT_FALSE(loop->run());
  EXPECT_EQ(log, Log{"accepted"});
}

TEST_F(PipeTest, impossible_addresses_are_typed_errors) {
  EXPECT_EQ(name_of(Address::unix_path(std::string(108, 'x')).error()), "ENAMETOOLONG");
  EXPECT_TRUE(Address::unix_path(std::string(107, 'x')));
  EXPECT_EQ(Address::unix_path("").error(), Error::bad_state);
  EXPECT_EQ(Address::unix_path(std::string("a\0b", 3)).error(), Error::bad_state);
  EXPECT_EQ(name_of(Address::unix_abstract(std::string(108, 'x')).error()), "ENAMETOOLONG");
}

TEST_F(PipeTest, descriptors_arrive_in_order_with_the_bytes_they_were_sent_with) {
  auto [from, to] = make_connected({.passes_descriptors = true});
  std::string taken;
  to.on_data = [&, &target = to](Bytes bytes) {
    // When the byte is here, its descriptor is.
    for (const std::byte byte : bytes) {
      if (byte != std::byte{'d'}) continue;
      const Socket descriptor = target.take_descriptor();
      ASSERT_TRUE(descriptor);
      EXPECT_TRUE(fcntl(descriptor.fd(), F_GETFD) & FD_CLOEXEC);
      taken += label_of(descriptor);
    }
  };
  to.read();
  EXPECT_TRUE(from.send(as_bytes("..")));
  EXPECT_TRUE(pass(from, "d1", labelled('a')));
  EXPECT_TRUE(from.send(as_bytes("..")));
  EXPECT_TRUE(pass(from, "d2", labelled('b')));
  EXPECT_TRUE(pass(from, "d3", labelled('c')));
  run_until([&, &target = to] { return target.text.size() == 10; });
  EXPECT_EQ(to.text, "..d1..d2d3");
  EXPECT_EQ(taken, "abc");
  EXPECT_FALSE(to.take_descriptor());
  EXPECT_EQ(log, (Log{"OK", "OK", "OK"}));
}

TEST_F(PipeTest, a_descriptor_waits_with_its_bytes_behind_a_full_pipe) {
  auto [from, to] = make_connected({.passes_descriptors = true});
  const std::string large(1 << 20, '.');
  EXPECT_TRUE(from.send(as_bytes(large)));
  ASSERT_GT(from.queued_bytes(), 0u);
  EXPECT_TRUE(pass(from, "d", labelled('z')));
  to.read();
  run_until([&, &target = to] { return target.text.size() == large.size() + 1; });
  EXPECT_EQ(to.waiting_descriptors(), 1u);
  EXPECT_EQ(label_of(to.take_descriptor()), 'z');
}

TEST_F(PipeTest, no_descriptor_leaks_unread_unsent_or_unwanted) {
  const auto before = open_descriptors();
  {
    auto [from, to] = make_connected({.passes_descriptors = true});
    to.read();
    EXPECT_TRUE(pass(from, "read, and never taken", labelled('a')));
    run_until([&, &target = to] { return target.waiting_descriptors() == 1; });
    to.read_stop();
    EXPECT_TRUE(pass(from, "in the kernel, never read", labelled('b')));
    const std::string large(1 << 20, '.');
    EXPECT_TRUE(from.send(as_bytes(large)));
    EXPECT_TRUE(pass(from, "never sent", labelled('c')));
    EXPECT_EQ(pass(from, "", labelled('d')).error(), Error::bad_state);
    from.close();
    to.close();
    loop->run();
    EXPECT_EQ(log, (Log{"OK", "OK", "ECANCELED"}));
  }
  {
    auto [from, to] = make_connected();
    to.read();
    EXPECT_EQ(pass(from, "this pipe passes none", labelled('e')).error(), Error::bad_state);
    from.close();
    to.close();
    loop->run();
  }
  EXPECT_EQ(open_descriptors(), before);
}

TEST_F(PipeTest, a_peer_cannot_make_us_run_out_of_descriptors) {
  auto [from, to] = make_connected({.passes_descriptors = true});
  const auto before = open_descriptors();
  to.read();
  std::size_t sent = 0;
  while (!to.ended && sent < 10 * kDescriptorsQueuedMax) {
    EXPECT_TRUE(pass(from, "x", labelled('a')));
    ++sent;
    loop->run(RunMode::nowait);
  }
  EXPECT_EQ(to.ended, Error::too_many_references);
  EXPECT_EQ(to.waiting_descriptors(), kDescriptorsQueuedMax);
  to.close();
  from.close();
  loop->run();
  EXPECT_EQ(open_descriptors(), before - 2);
}

TEST_F(PipeTest, a_pipe_that_passes_none_drops_what_a_peer_sends) {
  auto pair = Pipe::make_pair().value();
  End& from = make({.passes_descriptors = true});
  End& to = make();
  ASSERT_TRUE(from.adopt(std::move(pair.first)));
  ASSERT_TRUE(to.adopt(std::move(pair.second)));
  const auto before = open_descriptors();
  to.read();
  EXPECT_TRUE(pass(from, "x", labelled('a')));
  run_until([&] { return to.text == "x"; });
  EXPECT_EQ(open_descriptors(), before);
}

TEST_F(PipeTest, both_ends_of_a_pipe_of_the_kernel_are_streams) {
  int fds[2];
  ASSERT_EQ(pipe2(fds, O_CLOEXEC), 0);
  End& in = make();
  End& out = make();
  ASSERT_TRUE(in.adopt(Socket(fds[0])));
  ASSERT_TRUE(out.adopt(Socket(fds[1])));
  in.read();
  const std::string large(1 << 20, 'x');
  const std::array<Bytes, 3> parts{as_bytes("head "), as_bytes(large), as_bytes(" tail")};
  PlainWrite write;
  ASSERT_TRUE(out.write(write, parts, nullptr));
  EXPECT_EQ(out.try_write(as_bytes("overtakes")).error(), Error::again);
  ASSERT_TRUE(out.shutdown([](Stream& self, Error error) {
    EXPECT_EQ(error, Error::none);
    EXPECT_EQ(self.fd(), -1) << "closing it is how its reader sees the end";
  }));
  run_until([&] { return in.ended.has_value(); });
  EXPECT_TRUE(in.text == "head " + large + " tail");
  EXPECT_EQ(in.ended, Error::none);
}

TEST_F(PipeTest, writing_to_a_pipe_nobody_reads_is_an_error_and_no_signal) {
  int fds[2];
  ASSERT_EQ(pipe2(fds, O_CLOEXEC), 0);
  End& out = make();
  ASSERT_TRUE(out.adopt(Socket(fds[1])));
  ::close(fds[0]);
  PlainWrite write;
  write.data = &log;
  ASSERT_TRUE(out.write(write, as_bytes("x"), [](WriteRequest& self, Error error) {
    static_cast<Log*>(self.data)->emplace_back(name_of(error));
  }));
  EXPECT_EQ(log, Log{});
  loop->run(RunMode::nowait);
  EXPECT_EQ(log, Log{"EPIPE"});
  sigset_t pending;
  sigpending(&pending);
  EXPECT_FALSE(sigismember(&pending, SIGPIPE));
}

TEST_F(PipeTest, a_fifo_and_a_character_device_are_adopted_a_file_and_a_folder_are_not) {
  const std::string path = ::testing::TempDir() + "refloop_fifo_test." + std::to_string(getpid());
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  End& fifo = make();
  ASSERT_TRUE(fifo.adopt(Socket(::open(path.c_str(), O_RDWR | O_CLOEXEC))));
  unlink(path.c_str());
  fifo.read();
  ASSERT_TRUE(fifo.send(as_bytes("round")));
  run_until([&] { return fifo.text == "round"; });
  static Error outcome;
  ASSERT_TRUE(fifo.shutdown([](Stream&, Error error) { outcome = error; }));
  loop->run(RunMode::nowait);
  EXPECT_EQ(outcome, Error::not_supported) << "it has no half to close";
  End& terminal = make();
  EXPECT_TRUE(terminal.adopt(Socket(posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC))));
  for (const char* refused : {"/proc/self/exe", "/"}) {
    EXPECT_EQ(make().adopt(Socket(::open(refused, O_RDONLY | O_CLOEXEC))).error(), Error::not_supported);
  }
  EXPECT_EQ(name_of(make().adopt(Socket()).error()), "EBADF");
}

}  // namespace
}  // namespace refloop::pipe_test
