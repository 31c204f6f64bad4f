#include "reference-loop/listener.h"

#include <cerrno>
#include <fcntl.h>
#include <netinet/tcp.h>

#include "reference-loop/sys.h"

namespace refloop {
namespace {

constexpr Nanos kDescriptorPause = std::chrono::milliseconds(50);

bool set_option(int fd, int level, int name) {
  const int on = 1;
  return sys::setsockopt(fd, level, name, &on, sizeof(on)) == 0;
}

}  // namespace

bool concerns_one_connection(int error) {
  switch (error) {
    case EINTR:
    case ECONNABORTED:  // the peer gave up while it waited
    case EPROTO:
    case ENETDOWN:
    case ENOPROTOOPT:
    case EHOSTDOWN:
    case ENONET:
    case EHOSTUNREACH:
    case EOPNOTSUPP:
    case ENETUNREACH:
      return true;
    default:
      return false;
  }
}

Listener::Listener(Loop& loop) : Handle(loop, Kind::accept), retry_(loop) {
  retry_.unref();
  retry_.data = this;
  retry_.make_internal();
}

Result<void> Listener::listen(const Address& address, const ListenOptions& options, AcceptCallback callback) {
  Socket socket(sys::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket) return failure(last_error());
  const bool is_unix = address.family() == AF_UNIX;
  const bool prepared = set_option(socket.fd(), SOL_SOCKET, SO_REUSEADDR) &&
                        (!options.reuse_port || set_option(socket.fd(), SOL_SOCKET, SO_REUSEPORT)) &&
                        (is_unix || !options.nodelay || set_option(socket.fd(), IPPROTO_TCP, TCP_NODELAY)) &&
                        sys::bind(socket.fd(), address.raw(), address.size()) == 0;
  if (!prepared) return failure(last_error());
  std::string path = is_unix ? address.host() : "";
  if (path.starts_with('@')) path.clear();  // abstract: no file
  Result<void> listening;
  if (sys::listen(socket.fd(), options.backlog) != 0)
    listening = failure(last_error());
  else
    listening = listen(std::move(socket), callback);
  if (listening)
    path_ = std::move(path);
  else if (!path.empty())
    sys::unlink(path.c_str());
  return listening;
}

Result<void> Listener::listen(Socket socket, AcceptCallback callback) {
  if (is_closing() || socket_ || !callback) return failure(Error::bad_state);
  const int flags = sys::fcntl(socket.fd(), F_GETFL);
  if (flags < 0 || sys::fcntl(socket.fd(), F_SETFL, flags | O_NONBLOCK) != 0) return failure(last_error());
  socket_ = std::move(socket);
  watch_.listener = this;
  on_accept_ = callback;
  if (auto listening = loop_.backend_->listen(*this); !listening) {
    socket_.reset();
    return listening;
  }
  activate();
  loop_.trace_schedule(kind_, tag_);
  return {};
}

void Listener::accepted(Socket socket) {
  loop_.invoke(kind_, tag_, [&] { on_accept_(*this, std::move(socket)); });
}

void Listener::out_of_descriptors() {
  ++pauses_;
  loop_.backend_->close(*this);
  (void)retry_.start([](Timer& timer) { static_cast<Listener*>(timer.data)->resume(); }, kDescriptorPause);
}

// Fails only if the kernel lacks memory for the registration: then later.
void Listener::resume() {
  if (!loop_.backend_->listen(*this)) out_of_descriptors();
}

void Listener::begin_close() {
  retry_.stop();
  if (socket_) loop_.backend_->close(*this);
  socket_.reset();
  if (!path_.empty()) sys::unlink(path_.c_str());
}

}  // namespace refloop
