// Operating errors of the loop: errno values with a type, so that no bare int is ever an error.
// Programmer errors (using a closed handle, running a running loop) assert instead.
#pragma once

#include <cerrno>
#include <expected>
#include <string_view>

namespace refloop {

// The named values are those the loop itself produces; any other errno of the kernel passes through.
enum class Error : int {
  none = 0,
  again = EAGAIN,               // would overtake queued bytes, or would block
  bad_state = EINVAL,           // the call makes no sense now (again() on a timer never started)
  busy = EBUSY,                 // work that already started cannot be cancelled
  canceled = ECANCELED,         // the request ended because somebody cancelled it or closed its handle
  not_connected = ENOTCONN,     // the stream has no peer (yet, or any more)
  broken_pipe = EPIPE,          // writing after shutdown()
  already_connected = EISCONN,  // connect() on a stream that has a peer
  connection_refused = ECONNREFUSED,
  connection_reset = ECONNRESET,
  address_in_use = EADDRINUSE,
  not_supported = ENOTSUP,  // the backend asked for is not built in, or the kernel forbids it
  no_memory = ENOMEM,
  no_process = ESRCH,                  // the child has exited
  too_many_references = ETOOMANYREFS,  // descriptors wait on a pipe and nobody takes them
  too_large = EFBIG,                   // a file to be read whole that exceeds the limit

  // What getaddrinfo() says instead of an errno, moved out of the way of those; others of its kind exist.
  name_unknown = 1002,        // EAI_NONAME: no such host, or no such service
  name_server_failed = 1003,  // EAI_AGAIN: no answer now; later perhaps
  name_unanswerable = 1004,   // EAI_FAIL: no answer ever
};

template <typename T>
using Result = std::expected<T, Error>;

// The one place where an errno becomes an Error.
inline Error error_from_errno(int number) { return static_cast<Error>(number); }
inline Error last_error() { return error_from_errno(errno); }
// EAI_* of getaddrinfo() and getnameinfo(), both negative and not zero; EAI_SYSTEM looks at errno.
Error error_from_resolver(int code);
inline std::unexpected<Error> failure(Error error) { return std::unexpected(error); }

// "ECANCELED" or "EAI_NONAME"; "EUNKNOWN" for a number the C library has no name for. Static storage.
std::string_view name_of(Error error);
// "Operation canceled". Static storage.
std::string_view message_of(Error error);

}  // namespace refloop
