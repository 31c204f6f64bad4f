#include "reference-loop/faults/registry.h"

#include <netdb.h>

#include "reference-loop/faults/fault_kinds.h"

namespace refloop::faults {
namespace {

using enum Expect;

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
      {"close_range", kAny, "close_range(2)", {TOLD(EMFILE), TOLD(ENOMEM)}},
      {"dup2", kAny, "dup(2)", {AGAIN(EINTR), TOLD(EBUSY), TOLD(EMFILE)}},
      {"fcntl",
       kAny,
       "fcntl(2)",
       {Fault{"EMFILE", Manner::fails, EMFILE, reported, "child"}},
       "EACCES, EAGAIN, EBUSY, EDEADLK, EINTR, ENOLCK, ENOTDIR, EPERM: not of F_GETFL and of F_SETFL "
       "with "
       "O_NONBLOCK"},
      {"pipe2", kAny, "pipe(2)", {TOLD(EMFILE), TOLD(ENFILE)}, "ENOPKG: of notifications"},
      {"read", Target::kernel_object, "read(2)", {AGAIN(EAGAIN), AGAIN(EINTR)}, "EIO, EISDIR: of files"},
      {"read",
       Target::stream,
       "read(2), of pipes",
       {AGAIN(EAGAIN), AGAIN(EINTR), kShort, TOLD(EIO)},
       "EISDIR: of folders"},
      {"unlink",
       kAny,
       "unlink(2)",
       {TOLD_OR_HARMLESS(EACCES), TOLD_OR_HARMLESS(ENOENT)},
       "EBUSY, EIO, EISDIR, ELOOP, ENAMETOOLONG, ENOMEM, ENOTDIR, EPERM, EROFS: like EACCES; the file of a "
       "socket stays, and nobody hears of it"},
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
      // Heard of only where there is no thread at all yet.
      {"pthread_create",
       kAny,
       "pthread_create(3)",
       {TOLD_OR_HARMLESS(EAGAIN)},
       "EPERM: of scheduling policies"},
      {"pthread_join", kAny, "pthread_join(3)", {}, "EDEADLK, ESRCH: only by a bug"},
      {"pthread_sigmask", kAny, "pthread_sigmask(3)", {}, "its one error is EINVAL"},
      {"sigaction", kAny, "sigaction(2)", {}, "its one error is EINVAL: see Signal"},
      {"sigpending", kAny, "sigpending(2)", {}, "none is left"},
      {"sigtimedwait", kAny, "sigwaitinfo(2)", {AGAIN(EINTR)}, "EAGAIN: nothing is pending, which is fine"},
  };
}

std::vector<Call> children() {
  return {
      {"chdir",
       kAny,
       "chdir(2)",
       {TOLD(EACCES), TOLD(ENOENT)},
       "EIO, ELOOP, ENAMETOOLONG, ENOMEM, ENOTDIR: passed on alike"},
      {"execvpe",
       kAny,
       "execve(2)",
       {TOLD(E2BIG), TOLD(EACCES), TOLD(ENOENT), TOLD(ENOMEM)},
       "EAGAIN, EIO, EISDIR, ELIBBAD, ELOOP, EMFILE, ENAMETOOLONG, ENFILE, ENOEXEC, ENOTDIR, EPERM, ETXTBSY: "
       "passed "
       "on alike"},
      {"fork",
       kAny,
       "fork(2)",
       {TOLD(EAGAIN), TOLD(ENOMEM)},
       "ENOSYS: of systems without it; ERESTARTNOINTR: seen by tracers only"},
      {"getpid", kAny, "getpid(2)", {}},
      {"getppid", kAny, "getpid(2)", {}},
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
      {"prctl",
       kAny,
       "prctl(2)",
       {},
       "PR_SET_PDEATHSIG knows EINVAL only; EACCES, EBUSY, ENODEV, ENXIO, EPERM, ERANGE: of other options"},
      {"setgid", kAny, "setgid(2)", {TOLD(EPERM)}},
      {"setgroups", kAny, "getgroups(2)", {TOLD(ENOMEM), TOLD_OR_HARMLESS(EPERM)}},
      {"setsid", kAny, "setsid(2)", {TOLD(EPERM)}},
      {"setuid", kAny, "setuid(2)", {TOLD(EAGAIN), TOLD(EPERM)}},
      {"waitid", kAny, "wait(2)", {AGAIN(EINTR), TOLD(ECHILD)}, "EAGAIN, ESRCH: of other pidfds than ours"},
  };
}

std::vector<Call> rings() {
  return {
      {"mmap",
       kAny,
       "mmap(2)",
       {TOLD(EAGAIN), TOLD(ENFILE), TOLD(ENOMEM)},
       "EACCES, EEXIST, ENODEV, EOVERFLOW, EPERM, ETXTBSY: of files and flags that a ring has not"},
      {"munmap",
       kAny,
       "munmap(2)",
       {},
       "EACCES, EAGAIN, EEXIST, ENFILE, ENODEV, ENOMEM, EOVERFLOW, EPERM, ETXTBSY: of mmap, or of a part of "
       "a "
       "mapping"},
      {"uring_enter",
       kAny,
       "io_uring_enter(2)",
       {AGAIN(EAGAIN), AGAIN(EBUSY), AGAIN(EINTR)},
       "EBADFD, EBADR, ENXIO: only by a bug"},
      {"uring_register",
       kAny,
       "io_uring_register(2)",
       {TOLD_OR_HARMLESS(ENOMEM)},
       "EACCES, EBADFD, EBUSY, EMFILE, ENXIO: of what is not registered here, or by a bug"},
      {"uring_setup",
       kAny,
       "io_uring_setup(2)",
       {TOLD(EMFILE), TOLD(ENFILE), TOLD(ENOMEM)},
       "EPERM: Error::not_supported, see io_uring_test.cpp"},
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
      {"copy_file_range",
       kAny,
       "copy_file_range(2)",
       {AGAIN(EINTR), AGAIN(EXDEV), AGAIN(EINVAL), AGAIN(ENOSYS), AGAIN(EOPNOTSUPP), AGAIN(EPERM),
        TOLD(EFBIG), TOLD(EIO), TOLD(EISDIR), TOLD(ENOMEM), TOLD(ENOSPC), TOLD(EOVERFLOW), TOLD(ETXTBSY)}},
      {"fchmod",
       kAny,
       "chmod(2)",
       {TOLD(EIO), TOLD(ENOTSUP), TOLD(EPERM), TOLD(EROFS)},
       "EACCES, ELOOP, ENAMETOOLONG, ENOENT, ENOMEM, ENOTDIR: of paths"},
      {"fsync",
       kAny,
       "fsync(2)",
       {AGAIN(EINTR), TOLD(EDQUOT), TOLD(EIO), TOLD(ENOSPC)},
       "EROFS: like EINVAL"},
      {"ftruncate",
       kAny,
       "truncate(2)",
       {AGAIN(EINTR), TOLD(EFBIG), TOLD(EIO), TOLD(EPERM)},
       "EACCES, EISDIR, ELOOP, ENAMETOOLONG, ENOENT, ENOTDIR, EROFS, ETXTBSY: of paths"},
      // FICLONE, which is tried before other ways.
      {"ioctl",
       kAny,
       "ioctl_ficlonerange(2)",
       {AGAIN(EINVAL), AGAIN(EISDIR), AGAIN(EOPNOTSUPP), AGAIN(EPERM), AGAIN(ETXTBSY), AGAIN(EXDEV)}},
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
      {"preadv", kFile, "read(2)", {AGAIN(EINTR), TOLD(EIO)}, "EAGAIN: not of files; EISDIR: as of pread()"},
      {"readv", kFile, "read(2)", {AGAIN(EINTR), TOLD(EIO)}, "EAGAIN: not of files; EISDIR: as of read()"},
      {"sendfile",
       kAny,
       "sendfile(2)",
       {AGAIN(EINTR), TOLD(EAGAIN), TOLD(EINVAL), TOLD(EIO), TOLD(ENOMEM), TOLD(EOVERFLOW), TOLD(ESPIPE)}},
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

// Errors of a path are passed on alike, whatever was to be done with it: three of them stand for all.
#define OF_PATHS \
  "EBADF, EIO, ELOOP, ENAMETOOLONG, ENOMEM, ENOTDIR, EROFS, ESRCH, ETXTBSY: passed on like ENOENT"
#define TOLD_OF_PATHS TOLD(EACCES), TOLD(ENOENT), TOLD(EPERM)

std::vector<Call> names_of_files() {
  return {
      {"access", kAny, "access(2)", {TOLD_OF_PATHS}, OF_PATHS},
      {"chmod", kAny, "chmod(2)", {TOLD_OF_PATHS, TOLD(ENOTSUP)}, OF_PATHS},
      {"closedir", kAny, "closedir(3)", {}},
      {"link",
       kAny,
       "link(2)",
       {TOLD_OF_PATHS, TOLD(EDQUOT), TOLD(EEXIST), TOLD(EMLINK), TOLD(ENOSPC), TOLD(EXDEV)},
       OF_PATHS},
      {"lstat", kAny, "stat(2)", {TOLD_OF_PATHS, TOLD(EOVERFLOW)}, OF_PATHS},
      {"mkdir",
       kAny,
       "mkdir(2)",
       {TOLD_OF_PATHS, TOLD(EDQUOT), TOLD(EEXIST), TOLD(EMLINK), TOLD(ENOSPC)},
       OF_PATHS},
      {"mkdtemp", kAny, "mkdtemp(3)", {TOLD_OF_PATHS, TOLD(EEXIST), TOLD(ENOSPC)}},
      {"opendir", kAny, "opendir(3)", {TOLD_OF_PATHS, TOLD(EMFILE), TOLD(ENFILE)}, OF_PATHS},
      {"readdir", kAny, "readdir(3)", {TOLD(EIO)}},
      {"readlink", kAny, "readlink(2)", {TOLD_OF_PATHS, TOLD(EINVAL)}, OF_PATHS},
      {"realpath", kAny, "realpath(3)", {TOLD_OF_PATHS}, OF_PATHS},
      {"rename",
       kAny,
       "rename(2)",
       {TOLD_OF_PATHS, TOLD(EBUSY), TOLD(EDQUOT), TOLD(EEXIST), TOLD(EISDIR), TOLD(EMLINK), TOLD(ENOSPC),
        TOLD(ENOTEMPTY), TOLD(EXDEV)},
       OF_PATHS},
      {"rmdir", kAny, "rmdir(2)", {TOLD_OF_PATHS, TOLD(EBUSY), TOLD(EEXIST), TOLD(ENOTEMPTY)}, OF_PATHS},
      {"symlink", kAny, "symlink(2)", {TOLD_OF_PATHS, TOLD(EDQUOT), TOLD(EEXIST), TOLD(ENOSPC)}, OF_PATHS},
      {"truncate", kAny, "truncate(2)", {AGAIN(EINTR), TOLD_OF_PATHS, TOLD(EFBIG), TOLD(EISDIR)}, OF_PATHS},
      {"utimensat", kAny, "utimensat(2)", {TOLD_OF_PATHS}, OF_PATHS},
  };
}

// Their errors are numbers of their own.
std::vector<Call> names_of_machines() {
  return {
      {"getaddrinfo",
       kAny,
       "getaddrinfo(3)",
       {TOLD(EAI_AGAIN), TOLD(EAI_FAIL), TOLD(EAI_MEMORY), TOLD(EAI_NONAME)}},
      {"getnameinfo", kAny, "getnameinfo(3)", {TOLD(EAI_AGAIN), TOLD(EAI_MEMORY), TOLD(EAI_OVERFLOW)}},
  };
}

std::vector<Call> everything() {
  std::vector<Call> all;
  for (const auto& part : {sockets(), descriptors(), waiting(), children(), rings(), ring_submissions(),
                           ring_files(), files(), names_of_files(), names_of_machines()})
    all.insert(all.end(), part.begin(), part.end());
  return all;
}

}  // namespace

std::span<const Call> registry() {
  static const std::vector<Call> calls = everything();
  return calls;
}

}  // namespace refloop::faults
