// Names of machines to addresses, and back: getaddrinfo() and getnameinfo() on the worker pool.
//
// Both wait for other machines, for a minute if it has to be, and nothing can stop them once they run: they
// are slow I/O (pool.h), so that files keep their threads. Addresses as numbers need nobody: they take
// no thread, but also complete in a later poll phase. Of several requests in flight any may end first.
//
// The request is the caller's memory until its callback ran, and can be used again then.
#pragma once

#include <netinet/in.h>
#include <string>
#include <vector>

#include "reference-loop/address.h"
#include "reference-loop/loop.h"
#include "reference-loop/pool.h"

namespace refloop {

struct ResolveOptions {
  int family = AF_UNSPEC;         // or AF_INET, AF_INET6
  int socket_type = SOCK_STREAM;  // each address comes once, for sockets of this type
  bool passive = false;           // an empty host is every address of this machine, not only loopback
};

class ResolveRequest : public Work {
 public:
  // Error::none, canceled, name_unknown, name_server_failed or another of getaddrinfo's.
  using Callback = void (*)(ResolveRequest&, Error error);

  explicit ResolveRequest(Loop& loop) : loop_(loop) {}

  // -> addresses(), of `host` (a name or a number) with the port of `service` (a name, a number, or empty:
  // 0).
  void resolve(std::string host, std::string service, Callback callback, ResolveOptions options = {});
  // -> host() and service(): names where there are some, else numbers.
  void reverse(const Address& address, Callback callback);

  // Not started yet: the callback gets Error::canceled. Else Error::busy.
  Result<void> cancel() { return loop_.pool().cancel(*this); }

  // Valid in and after a callback without error. At least one, in the order in which RFC 6724 and the
  // machine's configuration prefer them.
  const std::vector<Address>& addresses() const { return addresses_; }
  const std::string& host() const { return host_; }
  const std::string& service() const { return service_; }
  Loop& loop() const { return loop_; }

 private:
  bool resolve_number();
  Error resolve_blocking();
  Error reverse_blocking();
  void submit(Work::RunFunction run, Callback callback);
  static void done(Work& work, Error error);

  Loop& loop_;
  Callback callback_ = nullptr;
  ResolveOptions options_;
  std::string host_;
  std::string service_;
  std::vector<Address> addresses_;
  Error error_ = Error::none;
};

}  // namespace refloop
