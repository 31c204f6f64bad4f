// What is submitted to an io_uring, by the result of its completion.
#include "reference-loop/faults/fault_kinds.h"

namespace refloop::faults {

using enum Expect;

std::vector<Call> ring_submissions() {
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
       {AGAIN(EALREADY)},
       "ENOENT: it has ended, and nothing is left to cancel"},
      {"IORING_OP_CLOSE",
       kAny,
       "close(2)",
       {Fault{"EINTR", Manner::fails_late, EINTR, unnoticed},
        Fault{"EDQUOT", Manner::fails_late, EDQUOT, reported, "files_on_ring"},
        Fault{"EIO", Manner::fails_late, EIO, reported, "files_on_ring"},
        Fault{"ENOSPC", Manner::fails_late, ENOSPC, reported, "files_on_ring"}},
       "the others are of files: of a stream nobody asks, as EINTR shows"},

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

std::vector<Call> ring_files() {
  const auto of_names = [](std::string_view opcode, std::string_view page) {
    return Call{opcode,
                kAny,
                page,
                {AGAIN(EINTR), TOLD(EACCES), TOLD(ENOENT), TOLD(EPERM)},
                "passed on alike, as on the pool"};
  };
  return {
      {"IORING_OP_FSYNC",
       kAny,
       "io_uring_prep_fsync(3)",
       {AGAIN(EINTR), TOLD(EDQUOT), TOLD(EIO), TOLD(ENOSPC)}},
      of_names("IORING_OP_LINKAT", "io_uring_prep_linkat(3)"),
      of_names("IORING_OP_MKDIRAT", "io_uring_prep_mkdirat(3)"),
      {"IORING_OP_NOP", kAny, "io_uring_prep_nop(3)", {}, "what was cancelled before the kernel saw it"},
      {"IORING_OP_OPENAT",
       kAny,
       "io_uring_prep_openat(3)",
       {AGAIN(EINTR), TOLD(EACCES), TOLD(EMFILE), TOLD(ENFILE), TOLD(ENOENT), TOLD(ENOMEM), TOLD(ENOSPC)},
       "those of open(2) are passed on alike, as on the pool"},
      {"IORING_OP_READ", kAny, "io_uring_prep_read(3)", {AGAIN(EINTR), kShort, TOLD(EIO), TOLD(EISDIR)}},
      of_names("IORING_OP_RENAMEAT", "io_uring_prep_renameat(3)"),
      of_names("IORING_OP_STATX", "io_uring_prep_statx(3)"),
      of_names("IORING_OP_SYMLINKAT", "io_uring_prep_symlinkat(3)"),
      of_names("IORING_OP_UNLINKAT", "io_uring_prep_unlinkat(3)"),
      {"IORING_OP_WRITE",
       kAny,
       "io_uring_prep_write(3)",
       {AGAIN(EINTR), kShort, Fault{"0", Manner::says_zero, EIO, reported}, TOLD(EDQUOT), TOLD(EFBIG),
        TOLD(EIO), TOLD(ENOSPC), TOLD(EPERM)}},
  };
}

}  // namespace refloop::faults
