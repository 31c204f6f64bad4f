// What has names: the tree of files, and machines.
#include <array>
#include <fcntl.h>
#include <filesystem>
#include <functional>
#include <string>
#include <unistd.h>
#include <utility>
#include <vector>

#include "reference-loop/faults/scenario.h"
#include "reference-loop/fs.h"
#include "reference-loop/resolve.h"

namespace refloop::faults {
namespace {

// A folder of its own, gone with the scenario, made and unmade around the seam.
class ScratchTree {
 public:
  ScratchTree() {
    if (!::mkdtemp(path_.data())) path_.clear();
  }
  ~ScratchTree() { std::filesystem::remove_all(path_); }
  std::string operator/(std::string_view name) const { return path_ + "/" + std::string(name); }

 private:
  std::string path_ = std::string(::access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp") + "/faults-XXXXXX";
};

// One request after the other, each in the ledger by its name; an error ends the chain.
class NameChain {
 public:
  explicit NameChain(World& world) : world_(world), request_(world.loop()) { request_.data = this; }
  ~NameChain() {
    for (const int fd : {source_, target_}) {
      if (fd >= 0) ::close(fd);  // the chain was broken in between
    }
  }
  void run() {
    add_descriptors();
    add_names();
    next();
    world_.run();
  }

 private:
  using Start = std::function<void(FsRequest::Callback)>;

  void add(std::string_view name, Start start) { steps_.push_back({name, std::move(start)}); }

  void add_descriptors() {
    add("write_file", [this](auto done) {
      request_.write_file(tree_ / "source", std::as_bytes(std::span(bytes_)), false, done);
    });
    add("open", [this](auto done) { request_.open(tree_ / "source", O_RDWR, 0, done); });
    add("read", [this](auto done) {
      source_ = static_cast<int>(request_.value());
      request_.read(source_, buffers_, 0, done);
    });
    add("read", [this](auto done) { request_.read(source_, buffers_, -1, done); });
    add("open", [this](auto done) { request_.open(tree_ / "target", O_RDWR | O_CREAT, 0600, done); });
    add("sendfile", [this](auto done) {
      target_ = static_cast<int>(request_.value());
      request_.sendfile(target_, source_, 0, bytes_.size(), done);
    });
    add("fsync", [this](auto done) { request_.fsync(target_, done); });
    add("ftruncate", [this](auto done) { request_.ftruncate(target_, 1, done); });
    add("fstat", [this](auto done) { request_.fstat(target_, done); });
    add("close", [this](auto done) { request_.close(std::exchange(target_, -1), done); });
    add("close", [this](auto done) { request_.close(std::exchange(source_, -1), done); });
  }

  void add_names() {
    add("copyfile", [this](auto done) { request_.copyfile(tree_ / "source", tree_ / "target", {}, done); });
    add("chmod", [this](auto done) { request_.chmod(tree_ / "target", 0600, done); });
    add("utimes", [this](auto done) { request_.utimes(tree_ / "target", Nanos{1}, Nanos{2}, done); });
    add("access", [this](auto done) { request_.access(tree_ / "target", R_OK, done); });
    add("truncate", [this](auto done) { request_.truncate(tree_ / "target", 10, done); });
    add("link", [this](auto done) { request_.link(tree_ / "target", tree_ / "linked", done); });
    add("symlink", [this](auto done) { request_.symlink("target", tree_ / "link", done); });
    add("lstat", [this](auto done) { request_.lstat(tree_ / "link", done); });
    add("readlink", [this](auto done) { request_.readlink(tree_ / "link", done); });
    add("realpath", [this](auto done) { request_.realpath(tree_ / "link", done); });
    add("rename", [this](auto done) { request_.rename(tree_ / "linked", tree_ / "renamed", done); });
    add("unlink", [this](auto done) { request_.unlink(tree_ / "renamed", done); });
    add("mkdtemp", [this](auto done) { request_.mkdtemp(tree_ / "folder-", done); });
    add("mkdir", [this](auto done) { request_.mkdir(tree_ / "folder", 0700, done); });
    add("readdir", [this](auto done) { request_.readdir(tree_ / "", done); });
    add("rmdir", [this](auto done) {
      world_.ledger().check(request_.entries().size() == 5, "entries are missing");
      request_.rmdir(tree_ / "folder", done);
    });
  }

  void next() {
    if (step_ == steps_.size()) return;
    auto& [name, start] = steps_[step_++];
    ticket_ = world_.ledger().start(name);
    start([](FsRequest& request, Error error) {
      auto* self = static_cast<NameChain*>(request.data);
      self->world_.ledger().end(self->ticket_, error);
      if (error == Error::none) self->next();
    });
  }

  World& world_;
  ScratchTree tree_;
  FsRequest request_;
  std::vector<std::pair<std::string_view, Start>> steps_;
  std::size_t step_ = 0;
  Ledger::Ticket ticket_ = 0;
  const std::string bytes_ = std::string(5000, 'x');
  std::string read_ = std::string(5000, '\0');
  const std::array<iovec, 2> buffers_{{{read_.data(), 2000}, {read_.data() + 2000, 3000}}};
  int source_ = -1;
  int target_ = -1;
};

}  // namespace

void file_names(World& world) { NameChain(world).run(); }

void machine_names(World& world) {
  struct Lookup : ResolveRequest {
    explicit Lookup(World& of) : ResolveRequest(of.loop()), world(of) {}
    World& world;
    Ledger::Ticket ticket = 0;
    static void done(ResolveRequest& self, Error error) {
      auto& lookup = static_cast<Lookup&>(self);
      lookup.world.ledger().end(lookup.ticket, error);
    }
  };
  Lookup by_name(world), by_number(world), reverse(world);
  by_name.ticket = world.ledger().start("resolve");
  by_name.resolve("localhost", "80", Lookup::done);
  by_number.ticket = world.ledger().start("resolve number");
  by_number.resolve("127.0.0.1", "80", Lookup::done);
  reverse.ticket = world.ledger().start("reverse");
  reverse.reverse(Address::parse("127.0.0.1", 80).value(), Lookup::done);
  world.run();
}

}  // namespace refloop::faults
