#include "baselines/reference_loop/ring_files.h"

#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <utility>

#include "reference-loop/fs.h"

namespace tickmark {
namespace {

// One piece of work under way; deletes itself. Steps as do_work() makes them, each a callback of the one
// before.
class Chain {
 public:
  Chain(refloop::Loop& loop, Work work, Connection::Then then)
      : request_(loop), work_(std::move(work)), then_(std::move(then)) {
    request_.data = this;
  }

  void start() {
    if (const auto* stat = std::get_if<FileStat>(&work_))
      request_.stat(stat->path,
                    [](refloop::FsRequest& request, refloop::Error error) { of(request).measured(error); });
    else if (const auto* read = std::get_if<FileRead>(&work_))
      open(read->path, O_RDONLY);
    else
      open(std::get<FileWrite>(work_).path, O_WRONLY | O_CREAT | O_TRUNC);
  }

 private:
  static Chain& of(refloop::FsRequest& request) { return *static_cast<Chain*>(request.data); }

  void open(const std::string& path, int flags) {
    request_.open(path, flags, 0644,
                  [](refloop::FsRequest& request, refloop::Error error) { of(request).opened(error); });
  }

  void opened(refloop::Error error) {
    if (error != refloop::Error::none) return finish(error);
    fd_ = static_cast<int>(request_.value());
    if (std::holds_alternative<FileWrite>(work_)) {
      const std::string& content = std::get<FileWrite>(work_).content;
      return request_.write(
          fd_, std::as_bytes(std::span(content)), 0,
          [](refloop::FsRequest& request, refloop::Error outcome) { of(request).written(outcome); });
    }
    request_.fstat(
        fd_, [](refloop::FsRequest& request, refloop::Error outcome) { of(request).measured(outcome); });
  }

  void measured(refloop::Error error) {
    if (error == refloop::Error::none && !S_ISREG(request_.stat_result().mode))
      error = refloop::error_from_errno(ENOENT);
    if (error != refloop::Error::none) return close(error);
    outcome_.number = request_.stat_result().size_bytes;
    if (std::holds_alternative<FileStat>(work_)) return finish(error);
    outcome_.bytes = AlignedBytes(std::exchange(outcome_.number, 0));
    read_more();
  }

  void read_more() {
    if (have_ == outcome_.bytes.size()) return close(refloop::Error::none);
    const std::span<char> rest(outcome_.bytes.data() + have_, outcome_.bytes.size() - have_);
    request_.read(fd_, std::as_writable_bytes(rest), static_cast<int64_t>(have_),
                  [](refloop::FsRequest& request, refloop::Error error) { of(request).got(error); });
  }

  void got(refloop::Error error) {
    if (error != refloop::Error::none) return close(error);
    have_ += static_cast<size_t>(request_.value());
    if (request_.value() > 0) return read_more();
    outcome_.bytes.shrink(have_);  // somebody truncates it while we read: what is there is the file
    close(error);
  }

  void written(refloop::Error error) {
    outcome_.number = static_cast<uint64_t>(request_.value());
    if (error != refloop::Error::none || !std::get<FileWrite>(work_).sync) return close(error);
    request_.fdatasync(
        fd_, [](refloop::FsRequest& request, refloop::Error outcome) { of(request).close(outcome); });
  }

  void close(refloop::Error error) {
    if (fd_ < 0) return finish(error);
    outcome_.error = static_cast<int>(error);
    request_.close(fd_, [](refloop::FsRequest& request, refloop::Error) {
      Chain& self = of(request);
      self.finish(refloop::error_from_errno(self.outcome_.error));
    });
  }

  void finish(refloop::Error error) {
    outcome_.error = static_cast<int>(error);
    if (outcome_.error != 0) outcome_.bytes = {};
    Connection::Then then = std::move(then_);
    WorkOutcome outcome = std::move(outcome_);
    delete this;
    then(std::move(outcome));
  }

  refloop::FsRequest request_;
  Work work_;
  Connection::Then then_;
  WorkOutcome outcome_;
  int fd_ = -1;
  size_t have_ = 0;
};

}  // namespace

bool is_file_work(const Work& work) {
  return std::holds_alternative<FileStat>(work) || std::holds_alternative<FileRead>(work) ||
         std::holds_alternative<FileWrite>(work);
}

void run_on_ring(refloop::Loop& loop, Work work, Connection::Then then) {
  (new Chain(loop, std::move(work), std::move(then)))->start();
}

}  // namespace tickmark
