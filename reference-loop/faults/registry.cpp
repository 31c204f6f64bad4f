#include "reference-loop/faults/registry.h"

namespace refloop::faults {
namespace {

using enum Expect;

// The kernel had no time, room or bytes for it: the loop asks again, nobody hears of it.
#define AGAIN(errno_name) \
  Fault { #errno_name, Manner::fails, errno_name, unnoticed }
// The one who asked hears of it, by this very error.
#define TOLD(errno_name) \
  Fault { #errno_name, Manner::fails, errno_name, reported }
#define TOLD_OR_HARMLESS(errno_name) \
  Fault { #errno_name, Manner::fails, errno_name, reported_or_harmless }
// Took effect, says otherwise.
#define LATE(errno_name) \
  Fault { #errno_name, Manner::fails_late, errno_name, unnoticed }
// Pauses the listener for 50 ms: one scenario is enough.
#define PAUSES(errno_name) \
  Fault { #errno_name, Manner::fails, errno_name, unnoticed, "many_connects" }

constexpr Fault kShort{"short", Manner::is_short, 0, unnoticed};

constexpr auto kAny = Target::anything;

std::vector<Call> sockets() {
  return {
      {"accept4",
       kAny,
       "accept(2)",
       {AGAIN(EAGAIN), AGAIN(EINTR), AGAIN(ECONNABORTED), AGAIN(EPROTO), AGAIN(ENETDOWN), AGAIN(EHOSTDOWN),
        AGAIN(ENONET), AGAIN(EHOSTUNREACH), AGAIN(ENETUNREACH), PAUSES(EPERM), PAUSES(EMFILE), PAUSES(ENFILE),
        PAUSES(ENOBUFS), PAUSES(ENOMEM)},
       "ENOSR, EPROTONOSUPPORT, ERESTARTSYS, ESOCKTNOSUPPORT, ETIMEDOUT: of other protocols and kernels, on "
       "the way of "
       "EPERM"},
      {"bind",
       kAny,
       "bind(2)",
       {TOLD(EACCES), TOLD(EADDRINUSE), TOLD(EADDRNOTAVAIL), TOLD(ENOMEM)},
       "ELOOP, ENAMETOOLONG, ENOENT, ENOTDIR, EROFS: of paths, passed on like EACCES"},
      {"connect",
       kAny,
       "connect(2)",
       {Fault{"EINTR", Manner::fails_late, EINTR, unnoticed}, TOLD(EACCES), TOLD(EPERM), TOLD(EADDRINUSE),
        TOLD(EADDRNOTAVAIL), TOLD(EAGAIN), TOLD(ECONNREFUSED), TOLD(ENETUNREACH), TOLD(ETIMEDOUT)},
       "EINPROGRESS: how every connect begins; EAFNOSUPPORT, EALREADY, EISCONN, EPROTOTYPE: only by a bug"},
      {"getpeername", kAny, "getpeername(2)", {TOLD(ENOBUFS), TOLD(ENOTCONN)}},
      {"getsockname", kAny, "getsockname(2)", {TOLD(ENOBUFS)}},
      {"getsockopt", kAny, "getsockopt(2), POSIX", {TOLD(ENOBUFS)}},
      {"listen", kAny, "listen(2)", {TOLD(EADDRINUSE)}},
      {"recv",
       kAny,
       "recv(2), POSIX",
       {AGAIN(EAGAIN), AGAIN(EINTR), kShort, TOLD(ECONNREFUSED), TOLD(ECONNRESET), TOLD(EHOSTUNREACH),
        TOLD(ENOMEM), TOLD(ENOTCONN), TOLD(ETIMEDOUT)}},
      {"recvmmsg",
       kAny,
       "recv(2), of datagrams",
       {AGAIN(EAGAIN), AGAIN(EINTR), kShort, TOLD(ECONNREFUSED), TOLD(ENOMEM)},
       "ENOTCONN: of streams"},
      {"recvmsg",
       kAny,
       "recv(2), of unix streams",
       {AGAIN(EAGAIN), AGAIN(EINTR), kShort, TOLD(ECONNRESET), TOLD(ENOMEM), TOLD(ENOTCONN)},
       "ECONNREFUSED: of datagrams"},
      {"send",
       kAny,
       "send(2), POSIX",
       {AGAIN(EAGAIN), AGAIN(EINTR), AGAIN(ENOBUFS), kShort, TOLD(EACCES), TOLD(ECONNRESET),
        TOLD(EHOSTUNREACH), TOLD(ENOMEM), TOLD(ENOTCONN), TOLD(EPIPE), TOLD(ETIMEDOUT)},
       "EALREADY, EDESTADDRREQ, EISCONN, EMSGSIZE: not of a connected stream"},
      {"sendmsg",
       kAny,
       "send(2), POSIX",
       {AGAIN(EAGAIN), AGAIN(EINTR), AGAIN(ENOBUFS), kShort, TOLD(ECONNRESET), TOLD(ENOMEM), TOLD(EPIPE)},
       "EACCES, ENOTCONN: as of send(); EALREADY, EDESTADDRREQ, EISCONN, EMSGSIZE: not of a connected "
       "stream"},
      {"sendto",
       kAny,
       "send(2), of datagrams",
       {AGAIN(EAGAIN), AGAIN(EINTR), TOLD(EACCES), TOLD(ECONNREFUSED), TOLD(EMSGSIZE), TOLD(ENOBUFS),
        TOLD(ENOMEM)},
       "EALREADY, ECONNRESET, EDESTADDRREQ, EISCONN, ENOTCONN, EPIPE: of streams, or refused before"},
      {"setsockopt", kAny, "getsockopt(2), POSIX", {TOLD(ENOBUFS), TOLD(ENOMEM)}},
      {"shutdown", kAny, "shutdown(2)", {TOLD(ENOTCONN)}},
      {"socket",
       kAny,
       "socket(2)",
       {TOLD(EACCES), TOLD(EAFNOSUPPORT), TOLD(EMFILE), TOLD(ENFILE), TOLD(ENOBUFS), TOLD(ENOMEM)},
       "EPROTONOSUPPORT: on the way of EAFNOSUPPORT"},
      {"socketpair",
       kAny,
       "socketpair(2)",
       {TOLD(EAFNOSUPPORT), TOLD(EMFILE), TOLD(ENFILE)},
       "EPROTONOSUPPORT: on the way of EAFNOSUPPORT"},
  };
}

std::vector<Call> descriptors() {
  return {
      {"close", Target::stream, "close(2)", {LATE(EINTR), LATE(EIO)}, "EDQUOT, ENOSPC: of files"},
      {"close", Target::kernel_object, "close(2)", {LATE(EINTR)}, "EDQUOT, EIO, ENOSPC: of files"},
      {"fcntl",
       kAny,
       "fcntl(2)",
       {Fault{"EMFILE", Manner::fails, EMFILE, reported, "child"}},
       "EACCES, EAGAIN, EBUSY, EDEADLK, EINTR, ENOLCK, ENOTDIR, EPERM: not of F_GETFL and of F_SETFL "
       "with "
       "O_NONBLOCK"},
      {"read", Target::kernel_object, "read(2)", {AGAIN(EAGAIN), AGAIN(EINTR)}, "EIO, EISDIR: of files"},
      {"read",
       Target::stream,
       "read(2), of pipes",
       {AGAIN(EAGAIN), AGAIN(EINTR), kShort, TOLD(EIO)},
       "EISDIR: of folders"},
      {"unlink",
       kAny,
       "unlink(2)",
       {Fault{"EACCES", Manner::fails, EACCES, unnoticed}, Fault{"ENOENT", Manner::fails, ENOENT, unnoticed}},
       "EBUSY, EIO, EISDIR, ELOOP, ENAMETOOLONG, ENOMEM, ENOTDIR, EPERM, EROFS: like EACCES, the file of a "
       "socket stays"},
      {"write",
       Target::kernel_object,
       "write(2), eventfd(2)",
       {AGAIN(EINTR)},
       "EAGAIN: an eventfd's counter that is full, after 2^64 wake-ups; EDESTADDRREQ, EDQUOT, EFBIG, EIO, "
       "ENOSPC, EPERM, EPIPE: of files, sockets and pipes"},
      {"writev",
       kAny,
       "write(2), of pipes",
       {AGAIN(EAGAIN), AGAIN(EINTR), kShort, TOLD(EIO), TOLD(EPIPE)},
       "EDESTADDRREQ, EDQUOT, EFBIG, ENOSPC, EPERM: of files and sockets"},
  };
}

std::vector<Call> waiting() {
  return {
      {"epoll_create1", kAny, "epoll_create(2)", {TOLD(EMFILE), TOLD(ENFILE), TOLD(ENOMEM)}},
      {"epoll_ctl",
       kAny,
       "epoll_ctl(2)",
       {TOLD_OR_HARMLESS(ENOMEM), TOLD_OR_HARMLESS(ENOSPC)},
       "EEXIST, ELOOP, ENOENT: only by a bug; EPERM: see Poll"},
      {"epoll_pwait2", kAny, "epoll_wait(2)", {AGAIN(EINTR), kShort, AGAIN(ENOSYS), AGAIN(EPERM)}},
      {"epoll_wait", kAny, "epoll_wait(2)", {AGAIN(EINTR), kShort}},
      {"eventfd", kAny, "eventfd(2)", {TOLD(EMFILE), TOLD(ENFILE), TOLD(ENODEV), TOLD(ENOMEM)}},
      {"poll", kAny, "poll(2)", {AGAIN(EINTR), TOLD_OR_HARMLESS(ENOMEM)}},
      {"pthread_sigmask", kAny, "pthread_sigmask(3)", {}, "its one error is EINVAL"},
      {"sigaction", kAny, "sigaction(2)", {}, "its one error is EINVAL: see Signal"},
      {"sigpending", kAny, "sigpending(2)", {}, "none is left"},
      {"sigtimedwait", kAny, "sigwaitinfo(2)", {AGAIN(EINTR)}, "EAGAIN: nothing is pending, which is fine"},
  };
}

std::vector<Call> children() {
  return {
      {"kill", kAny, "kill(2)", {}, "EPERM, ESRCH: not of an own child that nobody waited for"},
      {"pidfd_open",
       kAny,
       "pidfd_open(2)",
       {TOLD(EMFILE), TOLD(ENFILE), TOLD(ENODEV), TOLD(ENOMEM)},
       "ESRCH: only if somebody else waited for the child"},
      {"pidfd_send_signal", kAny, "pidfd_send_signal(2)", {TOLD(EPERM), TOLD(ESRCH)}},
      {"posix_spawnp",
       kAny,
       "posix_spawn(3), fork(2), execve(2)",
       {TOLD(EACCES), TOLD(EAGAIN), TOLD(ENOENT), TOLD(ENOMEM)},
       "ENOSYS: of systems without fork"},
      {"waitid", kAny, "wait(2)", {AGAIN(EINTR), TOLD(ECHILD)}, "EAGAIN, ESRCH: of other pidfds than ours"},
  };
}

std::vector<Call> files() {
  constexpr auto kFile = Target::file;
  return {
      {"close",
       kFile,
       "close(2)",
       {LATE(EINTR), Fault{"EIO", Manner::fails_late, EIO, reported_or_harmless},
        Fault{"ENOSPC", Manner::fails_late, ENOSPC, reported_or_harmless},
        Fault{"EDQUOT", Manner::fails_late, EDQUOT, reported_or_harmless}}},
      {"fdatasync",
       kAny,
       "fsync(2)",
       {AGAIN(EINTR), TOLD(EDQUOT), TOLD(EIO), TOLD(ENOSPC)},
       "EROFS: like EINVAL"},
      {"fstat",
       kAny,
       "stat(2)",
       {TOLD(ENOMEM), TOLD(EOVERFLOW)},
       "EACCES, ELOOP, ENAMETOOLONG, ENOENT, ENOTDIR: of paths"},
      {"open",
       kAny,
       "open(2)",
       {AGAIN(EINTR), TOLD(EACCES),    TOLD(EDQUOT), TOLD(EEXIST),       TOLD(EFBIG),
        TOLD(EISDIR), TOLD(ELOOP),     TOLD(EMFILE), TOLD(ENAMETOOLONG), TOLD(ENFILE),
        TOLD(ENODEV), TOLD(ENOENT),    TOLD(ENOMEM), TOLD(ENOSPC),       TOLD(ENOTDIR),
        TOLD(ENXIO),  TOLD(EOVERFLOW), TOLD(EPERM),  TOLD(EROFS),        TOLD(ETXTBSY)},
       "EBUSY, EWOULDBLOCK: of O_EXCL on devices and of leases"},
      {"pread", kFile, "read(2)", {AGAIN(EINTR), kShort, TOLD(EIO), TOLD(EISDIR)}, "EAGAIN: not of files"},
      {"pwrite",
       kFile,
       "write(2)",
       {AGAIN(EINTR), kShort, TOLD(EDQUOT), TOLD(EFBIG), TOLD(EIO), TOLD(ENOSPC), TOLD(EPERM)},
       "EAGAIN, EDESTADDRREQ, EPIPE: not of files"},
      {"read", kFile, "read(2)", {AGAIN(EINTR), kShort, TOLD(EIO), TOLD(EISDIR)}, "EAGAIN: not of files"},
      {"stat",
       kAny,
       "stat(2)",
       {TOLD(EACCES), TOLD(ELOOP), TOLD(ENAMETOOLONG), TOLD(ENOENT), TOLD(ENOMEM), TOLD(ENOTDIR),
        TOLD(EOVERFLOW)}},
      {"write",
       kFile,
       "write(2)",
       {AGAIN(EINTR), kShort, Fault{"0", Manner::says_zero, EIO, reported}, TOLD(EDQUOT), TOLD(EFBIG),
        TOLD(EIO), TOLD(ENOSPC), TOLD(EPERM)},
       "EAGAIN, EDESTADDRREQ, EPIPE: not of files"},
  };
}

std::vector<Call> everything() {
  std::vector<Call> all;
  for (const auto& part : {sockets(), descriptors(), waiting(), children(), files()})
    all.insert(all.end(), part.begin(), part.end());
  return all;
}

}  // namespace

std::span<const Call> registry() {
  static const std::vector<Call> calls = everything();
  return calls;
}

}  // namespace refloop::faults
