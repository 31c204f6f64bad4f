// A socket address: IPv4 or IPv6 literal and port. No names: resolving blocks.
#pragma once

#include <cstdint>
#include <netinet/in.h>
#include <string>
#include <string_view>
#include <sys/socket.h>

#include "reference-loop/error.h"

namespace refloop {

class Address {
 public:
  // "127.0.0.1" or "::1"; anything else is Error::bad_state.
  static Result<Address> parse(std::string_view host, std::uint16_t port);
  // The local or the remote end of a socket.
  static Result<Address> local_of(int fd);
  static Result<Address> peer_of(int fd);

  int family() const { return storage_.ss_family; }
  std::uint16_t port() const;
  std::string host() const;
  const sockaddr* raw() const { return reinterpret_cast<const sockaddr*>(&storage_); }
  socklen_t size() const { return size_; }

 private:
  sockaddr_storage storage_{};
  socklen_t size_ = 0;
};

}  // namespace refloop
