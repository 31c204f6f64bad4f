// A socket address: IPv4 or IPv6 literal and port, or a unix socket's path. No names: resolving blocks.
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
  // A unix socket in the file system. ENAMETOOLONG from 108 bytes on; Error::bad_state for none or one that
  // contains a zero.
  static Result<Address> unix_path(std::string_view path);
  // A unix socket in Linux's abstract namespace: no file, gone with its last descriptor. Up to 107 bytes, any
  // of them.
  static Result<Address> unix_abstract(std::string_view name);
  // What the kernel wrote.
  static Address of(const sockaddr_storage& storage, socklen_t size);
  // The local or the remote end of a socket.
  static Result<Address> local_of(int fd);
  static Result<Address> peer_of(int fd);

  int family() const { return storage_.ss_family; }
  std::uint16_t port() const;  // 0 for a unix socket
  // The literal; the path of a unix socket, "@name" for an abstract one, "" for an unnamed one.
  std::string host() const;
  const sockaddr* raw() const { return reinterpret_cast<const sockaddr*>(&storage_); }
  socklen_t size() const { return size_; }

 private:
  sockaddr_storage storage_{};
  socklen_t size_ = 0;
};

}  // namespace refloop
