// A listening TCP or unix socket: one callback per accepted connection, in the poll phase.
//
// Accepts until the kernel's queue is empty or a fair share was taken, per batch of events, so that
// neither a storm of connects nor the traffic of open connections starves the other. When the process
// or the system is out of descriptors it pauses for 50 ms instead of spinning; waiting connections stay
// in the kernel's queue.
#pragma once

#include <cassert>
#include <cstdint>
#include <string>

#include "reference-loop/address.h"
#include "reference-loop/backend.h"
#include "reference-loop/handle.h"
#include "reference-loop/loop.h"
#include "reference-loop/socket.h"
#include "reference-loop/timer.h"

namespace refloop {

struct ListenOptions {
  int backlog = 4096;       // the kernel caps it at net.core.somaxconn
  bool reuse_port = false;  // several sockets on one port; the kernel spreads connections over them
  bool nodelay = true;      // accepted sockets inherit TCP_NODELAY; only of TCP
};

// For backends: accept() passes on what became of the connection it would have returned; the next one may be
// well. All else (EMFILE, ENFILE, ENOBUFS, ENOMEM, EPERM) would be said again at once.
bool concerns_one_connection(int error);

class Listener : public Handle {
 public:
  // The socket is non-blocking and owned by the callee; dropped, it closes the connection.
  using AcceptCallback = void (*)(Listener&, Socket socket);

  explicit Listener(Loop& loop);
  ~Listener() override { assert(!socket_ && "a listener must be closed before it is destroyed"); }

  // Binds, listens, accepts. Port 0 takes a free one: see local_address(). Binding a unix path creates the
  // file, which close() removes again; Error::address_in_use if there is one.
  Result<void> listen(const Address& address, const ListenOptions& options, AcceptCallback callback);
  // Accepts on a socket that already listens, for example one that a parent process bound.
  Result<void> listen(Socket socket, AcceptCallback callback);

  Result<Address> local_address() const { return Address::local_of(socket_.fd()); }
  int fd() const { return socket_.fd(); }
  // Times it paused for want of descriptors.
  std::uint64_t pauses() const { return pauses_; }

 private:
  friend class IoUringBackend;
  friend class ReadinessBackend;
  friend class SimulatedPort;

  struct Watch : FdWatch {
    Listener* listener = nullptr;
  };

  void begin_close() override;
  // What the backend reports, in the poll phase.
  void accepted(Socket socket);
  void out_of_descriptors();
  void resume();

  Socket socket_;
  Watch watch_;
  AcceptCallback on_accept_ = nullptr;
  Timer retry_;
  std::uint64_t pauses_ = 0;
  std::string path_;  // of the file that close() removes
};

}  // namespace refloop
