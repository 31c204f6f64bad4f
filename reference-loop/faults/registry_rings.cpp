// What is submitted to an io_uring, by the result of its completion.
#include "reference-loop/faults/registry.h"

namespace refloop::faults {
namespace {

using enum Expect;

#define AGAIN(errno_name) \
  Fault { #errno_name, Manner::fails, errno_name, unnoticed }
#define TOLD(errno_name) \
  Fault { #errno_name, Manner::fails, errno_name, reported }
// Pauses the listener for 50 ms: one scenario is enough.
#define PAUSES(errno_name) \
  Fault { #errno_name, Manner::fails, errno_name, unnoticed, "many_connects" }

constexpr Fault kShort{"short", Manner::is_short, 0, unnoticed};

}  // namespace

std::vector<Call> ring_submissions() {
  constexpr auto kAny = Target::anything;
  return {
      {"IORING_OP_ACCEPT",
       kAny,
       "accept(2), io_uring_enter(2)",
       {AGAIN(EAGAIN), AGAIN(EINTR), AGAIN(ECONNABORTED), AGAIN(EPROTO), AGAIN(ENETDOWN), AGAIN(EHOSTDOWN),
        AGAIN(ENONET), AGAIN(EHOSTUNREACH), AGAIN(ENETUNREACH), PAUSES(ECANCELED), PAUSES(EPERM),
        PAUSES(EMFILE), PAUSES(ENFILE), PAUSES(ENOBUFS), PAUSES(ENOMEM)},
       "ENOSR, EPROTONOSUPPORT, ERESTARTSYS, ESOCKTNOSUPPORT, ETIMEDOUT: of other protocols and kernels, on "
       "the way of EPERM"},
      {"IORING_OP_ASYNC_CANCEL",
       kAny,
       "io_uring_prep_cancel(3)",
       {},
       "EALREADY, ENOENT: it has ended, or is about to"},
      {"IORING_OP_CLOSE",
       kAny,
       "close(2)",
       {},
       "EDQUOT, EINTR, EIO, ENOSPC: after it took effect; nobody asks"},
      {"IORING_OP_POLL_ADD",
       kAny,
       "io_uring_prep_poll_add(3)",
       {AGAIN(EAGAIN), AGAIN(ECANCELED), AGAIN(EINTR), AGAIN(ENOMEM)}},
      {"IORING_OP_RECV",
       kAny,
       "recv(2), io_uring_prep_recv(3)",
       {AGAIN(EAGAIN), AGAIN(ECANCELED), AGAIN(EINTR), AGAIN(ENOBUFS), TOLD(ECONNREFUSED), TOLD(ECONNRESET),
        TOLD(EHOSTUNREACH), TOLD(ENOMEM), TOLD(ENOTCONN), TOLD(ETIMEDOUT)}},
      {"IORING_OP_SEND",
       kAny,
       "send(2), io_uring_prep_send(3)",
       {AGAIN(EAGAIN), AGAIN(EINTR), AGAIN(ENOBUFS), kShort, TOLD(EACCES), TOLD(ECONNRESET),
        TOLD(EHOSTUNREACH), TOLD(ENOMEM), TOLD(ENOTCONN), TOLD(EPIPE), TOLD(ETIMEDOUT)},
       "EALREADY, EDESTADDRREQ, EISCONN, EMSGSIZE: not of a connected stream"},
      {"IORING_OP_SENDMSG",
       kAny,
       "send(2), io_uring_prep_sendmsg(3)",
       {AGAIN(EAGAIN), AGAIN(EINTR), AGAIN(ENOBUFS), kShort, TOLD(ECONNRESET), TOLD(ENOMEM), TOLD(EPIPE)},
       "EACCES, ENOTCONN: as of send; EALREADY, EDESTADDRREQ, EISCONN, EMSGSIZE: not of a connected stream"},
  };
}

}  // namespace refloop::faults
