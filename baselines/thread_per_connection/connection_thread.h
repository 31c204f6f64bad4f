#pragma once
// One connection served by one thread: blocking receives and sends, work done where it is asked for.

#include <memory>

#include "harness/base/unique_fd.h"
#include "harness/vocabulary/service.h"

namespace tickmark {

class ConnectionThread final : public Connection {
 public:
  explicit ConnectionThread(UniqueFd fd) : fd_(std::move(fd)) {}

  int fd() const { return fd_.get(); }

  /// Serves until either side closes. Needs about 20 KiB of stack and what the service needs.
  void run(std::unique_ptr<Session> session);

  void send(std::string_view bytes) override;
  void close() override { closing_ = true; }
  void offload(Work work, Then then) override;

 private:
  void linger();

  UniqueFd fd_;
  bool closing_ = false;  ///< by our own wish
  bool broken_ = false;   ///< a send failed: the peer is gone
};

}  // namespace tickmark
