#include "reference-loop/resolve.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <memory>
#include <netdb.h>

#include "reference-loop/sys.h"

namespace refloop {
namespace {

// A port in digits; empty is 0.
bool parse_port(std::string_view text, std::uint16_t& port) {
  port = 0;
  if (text.empty()) return true;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

void ResolveRequest::resolve(std::string host, std::string service, Callback callback,
                             ResolveOptions options) {
  host_ = std::move(host);
  service_ = std::move(service);
  options_ = options;
  callback_ = callback;
  addresses_.clear();
  error_ = Error::none;
  const bool is_number = resolve_number();
  if (is_mutant(Mutant::numbers_resolve_synchronously) && is_number) return callback(*this, Error::none);
  if (is_number) return loop_.pool().submit_finished(*this, done);
  submit(
      [](Work& work) {
        auto& self = static_cast<ResolveRequest&>(work);
        self.error_ = self.resolve_blocking();
      },
      callback);
}

void ResolveRequest::reverse(const Address& address, Callback callback) {
  addresses_.assign(1, address);
  error_ = Error::none;
  submit(
      [](Work& work) {
        auto& self = static_cast<ResolveRequest&>(work);
        self.error_ = self.reverse_blocking();
      },
      callback);
}

void ResolveRequest::submit(Work::RunFunction run, Callback callback) {
  callback_ = callback;
  loop_.pool().submit(*this, run, done, WorkClass::slow_io);
}

void ResolveRequest::done(Work& work, Error error) {
  auto& self = static_cast<ResolveRequest&>(work);
  if (self.callback_) self.callback_(self, error != Error::none ? error : self.error_);
}

// Without a look at the world: true if that was all that was needed.
bool ResolveRequest::resolve_number() {
  std::uint16_t port;
  if (!parse_port(service_, port)) return false;
  const auto address = Address::parse(host_, port);
  if (!address) return false;
  if (options_.family != AF_UNSPEC && options_.family != address->family()) return false;
  addresses_.push_back(*address);
  return true;
}

Error ResolveRequest::resolve_blocking() {
  addrinfo hints{};
  hints.ai_family = options_.family;
  hints.ai_socktype = options_.socket_type;
  hints.ai_flags = options_.passive ? AI_PASSIVE : 0;
  addrinfo* first = nullptr;
  const int code = sys::getaddrinfo(host_.empty() ? nullptr : host_.c_str(),
                                    service_.empty() ? "0" : service_.c_str(), &hints, &first);
  if (code != 0) return error_from_resolver(code);
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(first, freeaddrinfo);
  for (const addrinfo* info = first; info; info = info->ai_next) {
    sockaddr_storage storage{};
    std::memcpy(&storage, info->ai_addr, std::min<std::size_t>(info->ai_addrlen, sizeof(storage)));
    addresses_.push_back(Address::of(storage, info->ai_addrlen));
  }
  return Error::none;
}

Error ResolveRequest::reverse_blocking() {
  const Address& address = addresses_.front();
  std::array<char, NI_MAXHOST> host;
  std::array<char, NI_MAXSERV> service;
  const int code = sys::getnameinfo(address.raw(), address.size(), host.data(), host.size(), service.data(),
                                    service.size(), 0);
  if (code != 0) return error_from_resolver(code);
  host_ = host.data();
  service_ = service.data();
  return Error::none;
}

}  // namespace refloop
