#include "reference-loop/address.h"

#include <algorithm>
#include <arpa/inet.h>
#include <cstddef>
#include <cstring>
#include <sys/un.h>

#include "reference-loop/sys.h"

namespace refloop {

Result<Address> Address::parse(std::string_view host, std::uint16_t port) {
  const std::string text(host);
  Address address;
  auto* v4 = reinterpret_cast<sockaddr_in*>(&address.storage_);
  if (inet_pton(AF_INET, text.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(port);
    address.size_ = sizeof(sockaddr_in);
    return address;
  }
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&address.storage_);
  if (inet_pton(AF_INET6, text.c_str(), &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(port);
    address.size_ = sizeof(sockaddr_in6);
    return address;
  }
  return failure(Error::bad_state);
}

Result<Address> Address::unix_path(std::string_view path) {
  Address address;
  auto* local = reinterpret_cast<sockaddr_un*>(&address.storage_);
  if (path.empty() || path.find('\0') != path.npos) return failure(Error::bad_state);
  if (path.size() >= sizeof(local->sun_path)) return failure(error_from_errno(ENAMETOOLONG));
  local->sun_family = AF_UNIX;
  std::ranges::copy(path, local->sun_path);
  address.size_ = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() + 1);
  return address;
}

Result<Address> Address::unix_abstract(std::string_view name) {
  Address address;
  auto* local = reinterpret_cast<sockaddr_un*>(&address.storage_);
  if (name.size() >= sizeof(local->sun_path)) return failure(error_from_errno(ENAMETOOLONG));
  local->sun_family = AF_UNIX;
  std::ranges::copy(name, local->sun_path + 1);
  address.size_ = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  return address;
}

Address Address::of(const sockaddr_storage& storage, socklen_t size) {
  Address address;
  address.size_ = std::min(size, static_cast<socklen_t>(sizeof(storage)));
  std::memcpy(&address.storage_, &storage, address.size_);
  return address;
}

Result<Address> Address::local_of(int fd) {
  Address address;
  address.size_ = sizeof(address.storage_);
  if (sys::getsockname(fd, reinterpret_cast<sockaddr*>(&address.storage_), &address.size_) != 0) {
    return failure(last_error());
  }
  return address;
}

Result<Address> Address::peer_of(int fd) {
  Address address;
  address.size_ = sizeof(address.storage_);
  if (sys::getpeername(fd, reinterpret_cast<sockaddr*>(&address.storage_), &address.size_) != 0) {
    return failure(last_error());
  }
  return address;
}

std::uint16_t Address::port() const {
  if (family() == AF_INET6) return ntohs(reinterpret_cast<const sockaddr_in6*>(&storage_)->sin6_port);
  if (family() != AF_INET) return 0;
  return ntohs(reinterpret_cast<const sockaddr_in*>(&storage_)->sin_port);
}

std::string Address::host() const {
  if (family() == AF_UNIX) {
    const auto* local = reinterpret_cast<const sockaddr_un*>(&storage_);
    const std::size_t length = size_ - std::min<std::size_t>(size_, offsetof(sockaddr_un, sun_path));
    if (length == 0) return "";
    if (local->sun_path[0] != '\0') return std::string(local->sun_path, strnlen(local->sun_path, length));
    return "@" + std::string(local->sun_path + 1, length - 1);
  }
  char text[INET6_ADDRSTRLEN] = "";
  if (family() == AF_INET6) {
    inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6*>(&storage_)->sin6_addr, text, sizeof(text));
  } else {
    inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in*>(&storage_)->sin_addr, text, sizeof(text));
  }
  return text;
}

}  // namespace refloop
