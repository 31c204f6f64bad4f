// The worker pool, and what runs on it.
#include <algorithm>
#include <cstdlib>
#include <fcntl.h>
#include <semaphore>
#include <unistd.h>

#include "reference-loop/faults/scenario.h"
#include "reference-loop/fs.h"
#include "reference-loop/pool.h"

namespace refloop::faults {
namespace {

// A folder of its own, gone with the scenario. In memory where that is possible: what the device makes of
// fdatasync() is not what is tested.
class ScratchFolder {
 public:
  ScratchFolder() {
    if (!::mkdtemp(path_.data())) path_.clear();
  }
  ~ScratchFolder() {
    for (const char* name : {"data", "whole"}) ::unlink(file(name).c_str());
    ::rmdir(path_.c_str());
  }
  std::string file(std::string_view name) const { return path_ + "/" + std::string(name); }

 private:
  std::string path_ = std::string(::access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp") + "/faults-XXXXXX";
};

// Works that enter their ends in the ledger.
class Works {
 public:
  explicit Works(World& world) : world_(world) {}

  Work& submit(std::function<void()> run, std::function<void()> then = {}) {
    const auto ticket = world_.ledger().start("work");
    return world_.loop().pool().submit(
        [this, run = std::move(run)] {
          if (run) run();
          ++ran_;
        },
        [this, ticket, then = std::move(then)](Error error) {
          world_.ledger().end(ticket, error);
          if (then) then();
        });
  }
  std::size_t ran() const { return ran_; }

 private:
  World& world_;
  std::atomic<std::size_t> ran_{0};
};

}  // namespace

// Three works in a row, then six at once, of which one is cancelled before it starts.
void pool_work(World& world) {
  Works works(world);
  std::binary_semaphore gate{0};
  std::size_t in_row = 0;
  std::function<void()> next = [&] {
    if (++in_row < 3) {
      works.submit({}, next);
      return;
    }
    works.submit([&] { gate.acquire(); });
    for (int i = 0; i < 4; ++i) works.submit({});
    Work& last = works.submit([] {});
    world.ledger().took("cancel", world.loop().pool().cancel(last));
    gate.release();
  };
  works.submit({}, next);
  world.run();
}

namespace {

// One step after the other, each in the ledger by its name; an error ends the chain.
class FileChain {
 public:
  FileChain(World& world, const ScratchFolder& folder)
      : world_(world), folder_(folder), request_(world.loop()) {
    request_.data = this;
  }
  ~FileChain() {
    if (fd_ >= 0) ::close(fd_);  // the chain was broken in between
  }
  void run() { step(0); }

 private:
  static constexpr std::size_t kBytes = 5000;

  void step(std::size_t number) {
    static constexpr std::string_view kNames[] = {"open", "write", "read",       "write",     "fdatasync",
                                                  "stat", "close", "write_file", "read_file", "stat"};
    number_ = number;
    if (number == std::size(kNames)) return;
    ticket_ = world_.ledger().start(kNames[number]);
    begin(number);
  }

  void begin(std::size_t number) {
    const FsRequest::Callback done = [](FsRequest& request, Error error) {
      static_cast<FileChain*>(request.data)->ended(error);
    };
    switch (number) {
      case 0:
        return request_.open(folder_.file("data"), O_RDWR | O_CREAT, 0600, done);
      case 1:
        return request_.write(fd_, std::as_bytes(std::span(bytes_)), 0, done);
      case 2:
        return request_.read(fd_, std::as_writable_bytes(std::span(read_)), 0, done);
      case 3:
        return request_.write(fd_, std::as_bytes(std::span(bytes_)), -1, done);
      case 4:
        return request_.fdatasync(fd_, done);
      case 5:
      case 9:
        return request_.stat(folder_.file("data"), done);
      case 6:
        return request_.close(std::exchange(fd_, -1), done);
      case 7:
        return request_.write_file(folder_.file("whole"), std::as_bytes(std::span(bytes_)), true, done);
      default:
        return request_.read_file(folder_.file("whole"), done);
    }
  }

  void ended(Error error) {
    world_.ledger().end(ticket_, error);
    if (error != Error::none) return;
    const auto value = static_cast<std::size_t>(request_.value());
    if (number_ == 0) fd_ = static_cast<int>(value);
    if (number_ == 1 || number_ == 3) world_.ledger().check(value == kBytes, "written short, and not told");
    if (number_ == 2)
      world_.ledger().check(bytes_.starts_with(std::string_view(read_).substr(0, value)), "other bytes read");
    if (number_ == 5) world_.ledger().check(request_.stat_result().size_bytes == kBytes, "the file is short");
    if (number_ == 8) {
      const auto read = request_.contents().bytes();
      world_.ledger().check(std::ranges::equal(read, std::as_bytes(std::span(bytes_))), "other bytes read");
    }
    step(number_ + 1);
  }

  World& world_;
  const ScratchFolder& folder_;
  FsRequest request_;
  const std::string bytes_ = pattern(kBytes);
  std::string read_ = std::string(kBytes, '\0');
  std::size_t number_ = 0;
  Ledger::Ticket ticket_ = 0;
  int fd_ = -1;
};

}  // namespace

// Files, one operation after the other.
void files(World& world) {
  const ScratchFolder folder;
  FileChain chain(world, folder);
  chain.run();
  world.run();
}

}  // namespace refloop::faults
