#pragma once
// Where connections come from. One source address has 28,000 ephemeral ports by default, and ports of closed
// connections may stay taken for a minute; a loopback target is therefore asked from several 127.0.0.x.

#include <cstdint>
#include <netinet/in.h>
#include <string>
#include <vector>

#include "harness/base/error.h"
#include "harness/base/unique_fd.h"

namespace tickmark::load {

/// Opens non-blocking sockets towards one target.
class Sources {
 public:
  /// `connections` of all lanes together; `rotation` chooses the first source address (any number: different
  /// ones in consecutive loads keep them from each other's ports). Error: the address is not numeric IPv4.
  static Expected<Sources> make(const std::string& address, uint16_t port, int connections,
                                uint64_t rotation);

  /// A socket with TCP_NODELAY, bound to the next source if the target is in 127/8 (its port is chosen by
  /// connect, so that a port may serve several destinations). Error: errno as a sentence.
  Expected<UniqueFd> open_socket();
  const sockaddr_in& target() const { return target_; }
  size_t count() const { return sources_.size(); }  ///< 0: the kernel chooses

 private:
  sockaddr_in target_{};
  std::vector<sockaddr_in> sources_;
  size_t next_ = 0;
};

/// Raises the soft limit of open files to the hard one and checks that `connections` fit beside 256 others.
Expected<void> ensure_descriptors(int connections);

/// Closes with RST instead of FIN: no port stays in TIME_WAIT, so hundreds of trials of 5,000 connections do
/// not run out of them. Only used on connections whose measured part is over or that are given up.
void close_hard(UniqueFd& fd);

}  // namespace tickmark::load
