#pragma once
// Listening sockets, as every C++ subject wants them: the address taken from the contract, a deep queue,
// and errors a person can act on.

#include <cstdint>
#include <string>

#include "harness/base/error.h"
#include "harness/base/unique_fd.h"

namespace tickmark::subject {

/// Deep enough for the storm of 5,000 connects as far as the kernel's somaxconn (4096) allows.
inline constexpr int kBacklog = 4096;

struct ListenConfig {
  std::string address = "127.0.0.1";  ///< numeric IPv4
  uint16_t port = 0;                  ///< 0 = any free one
  int backlog = kBacklog;             ///< 0 = bind only, do not listen: a reservation of the port
  bool reuse_port = false;            ///< SO_REUSEPORT, for sockets that share the port
  bool nonblocking = true;
};

struct Listener {
  UniqueFd fd;
  uint16_t port = 0;  ///< the one in use
};

/// Sets TCP_NODELAY, which accepted sockets inherit: small replies must leave at once. Usage error for an
/// address that is not numeric IPv4; environment error for a port that cannot be had.
Expected<Listener> listen_on(const ListenConfig& config);

/// Raises the soft limit of descriptors to the hard one, so that 5,000 connections fit.
void raise_descriptor_limit();

}  // namespace tickmark::subject
