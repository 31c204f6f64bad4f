#pragma once
// Requests in lock-step: one connection, one request at a time, the next one after the last byte of a reply.
// For counting what requests take, where a fixed number of them matters and time does not: the generator
// proper (load.h) runs for a time. Every byte of every reply is verified, as there.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/error.h"
#include "harness/base/time.h"
#include "harness/base/unique_fd.h"
#include "harness/load/protocol.h"
#include "harness/vocabulary/client.h"

namespace tickmark::load {

/// One connection, used from one thread at a time.
class LockStep {
 public:
  /// A reply that has not come by then never does. Long: whoever counts instructions makes its subject slow.
  static constexpr Nanos kSilenceMax = 30s;

  /// `address` numeric IPv4; `client` is borrowed and must outlive this. kSubject: nobody accepts there.
  static Expected<LockStep> connect(const std::string& address, uint16_t port, const Client& client);

  /// Asks `count` more. kSubject, a sentence with the request's number: a wrong reply, bytes nothing had
  /// asked for, a closed connection, silence. `may_ask` is called before each request and may take its time;
  /// false ends it early and is no error.
  Expected<void> ask(uint64_t count, const std::function<bool()>& may_ask = {});

  /// For the subject's end, which has been asked for: waits `patience` for it to close the connection, and
  /// asks on until it does where it has not. A request that finds it gone is nobody's fault and does not
  /// count.
  void ask_until_closed(Nanos patience);

  /// Requests that were answered correctly so far.
  uint64_t answered() const { return answered_; }

 private:
  explicit LockStep(UniqueFd fd, const Client& client);
  Expected<void> ask_one();
  Expected<void> send_all(std::string_view bytes);
  /// The reply to the request that is out; its bytes and no more.
  Expected<void> read_reply();

  UniqueFd fd_;
  std::unique_ptr<Protocol> protocol_;
  std::vector<char> buffer_;
  uint64_t answered_ = 0;
};

}  // namespace tickmark::load
