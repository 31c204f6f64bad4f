// Every system call the loop makes, by its own name: sys::recv(...) is ::recv(...).
//
// The one seam at which a test can say no for the kernel. A build with -DREFLOOP_FAULTS hands each call to
// an injector (reference-loop/faults/), which may fail it, shorten it or let it pass; in every other build a
// wrapper is the call itself, inlined, and the measured binary carries nothing of this.
//
// Adding a call is adding a line. A call made around this file fails scripts/check_tree.
#pragma once

#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

extern "C" {  // glibc 2.36 forgot to say so itself
#include <sys/pidfd.h>
}

#include "reference-loop/uring_calls.h"

#ifdef REFLOOP_FAULTS
#include "reference-loop/faults/injector.h"
#define REFLOOP_SYSTEM_CALL(name)                                               \
  template <typename... Arguments>                                              \
  auto name(Arguments... arguments) {                                           \
    return faults::intercept(                                                   \
        #name, [](auto... passed) { return ::name(passed...); }, arguments...); \
  }
#else
#define REFLOOP_SYSTEM_CALL(name)            \
  template <typename... Arguments>           \
  inline auto name(Arguments... arguments) { \
    return ::name(arguments...);             \
  }
#endif

namespace refloop::sys {

// Sockets.
REFLOOP_SYSTEM_CALL(accept4)
REFLOOP_SYSTEM_CALL(bind)
REFLOOP_SYSTEM_CALL(connect)
REFLOOP_SYSTEM_CALL(getpeername)
REFLOOP_SYSTEM_CALL(getsockname)
REFLOOP_SYSTEM_CALL(getsockopt)
REFLOOP_SYSTEM_CALL(listen)
REFLOOP_SYSTEM_CALL(recv)
REFLOOP_SYSTEM_CALL(recvmmsg)
REFLOOP_SYSTEM_CALL(recvmsg)
REFLOOP_SYSTEM_CALL(send)
REFLOOP_SYSTEM_CALL(sendmsg)
REFLOOP_SYSTEM_CALL(sendto)
REFLOOP_SYSTEM_CALL(setsockopt)
REFLOOP_SYSTEM_CALL(shutdown)
REFLOOP_SYSTEM_CALL(socket)
REFLOOP_SYSTEM_CALL(socketpair)

// Descriptors.
REFLOOP_SYSTEM_CALL(close)
REFLOOP_SYSTEM_CALL(close_range)
REFLOOP_SYSTEM_CALL(dup2)
REFLOOP_SYSTEM_CALL(fcntl)
REFLOOP_SYSTEM_CALL(pipe2)
REFLOOP_SYSTEM_CALL(read)
REFLOOP_SYSTEM_CALL(write)
REFLOOP_SYSTEM_CALL(writev)

// Waiting.
REFLOOP_SYSTEM_CALL(epoll_create1)
REFLOOP_SYSTEM_CALL(epoll_ctl)
REFLOOP_SYSTEM_CALL(epoll_pwait2)
REFLOOP_SYSTEM_CALL(epoll_wait)
REFLOOP_SYSTEM_CALL(eventfd)
REFLOOP_SYSTEM_CALL(poll)

// io_uring.
REFLOOP_SYSTEM_CALL(mmap)
REFLOOP_SYSTEM_CALL(munmap)
REFLOOP_SYSTEM_CALL(uring_enter)
REFLOOP_SYSTEM_CALL(uring_register)
REFLOOP_SYSTEM_CALL(uring_setup)

// Threads and signals.
REFLOOP_SYSTEM_CALL(pthread_create)
REFLOOP_SYSTEM_CALL(pthread_join)
REFLOOP_SYSTEM_CALL(pthread_sigmask)
REFLOOP_SYSTEM_CALL(sigaction)
REFLOOP_SYSTEM_CALL(sigpending)
REFLOOP_SYSTEM_CALL(sigtimedwait)

// Children.
REFLOOP_SYSTEM_CALL(chdir)
REFLOOP_SYSTEM_CALL(execvpe)
REFLOOP_SYSTEM_CALL(fork)
REFLOOP_SYSTEM_CALL(getpid)
REFLOOP_SYSTEM_CALL(getppid)
REFLOOP_SYSTEM_CALL(kill)
REFLOOP_SYSTEM_CALL(pidfd_open)
REFLOOP_SYSTEM_CALL(pidfd_send_signal)
REFLOOP_SYSTEM_CALL(posix_spawnp)
REFLOOP_SYSTEM_CALL(prctl)
REFLOOP_SYSTEM_CALL(setgid)
REFLOOP_SYSTEM_CALL(setgroups)
REFLOOP_SYSTEM_CALL(setsid)
REFLOOP_SYSTEM_CALL(setuid)
REFLOOP_SYSTEM_CALL(waitid)

// Files.
REFLOOP_SYSTEM_CALL(copy_file_range)
REFLOOP_SYSTEM_CALL(fchmod)
REFLOOP_SYSTEM_CALL(fdatasync)
REFLOOP_SYSTEM_CALL(fstat)
REFLOOP_SYSTEM_CALL(fsync)
REFLOOP_SYSTEM_CALL(ftruncate)
REFLOOP_SYSTEM_CALL(ioctl)
REFLOOP_SYSTEM_CALL(open)
REFLOOP_SYSTEM_CALL(pread)
REFLOOP_SYSTEM_CALL(preadv)
REFLOOP_SYSTEM_CALL(pwrite)
REFLOOP_SYSTEM_CALL(readv)
REFLOOP_SYSTEM_CALL(sendfile)

// Names of files.
REFLOOP_SYSTEM_CALL(access)
REFLOOP_SYSTEM_CALL(chmod)
REFLOOP_SYSTEM_CALL(closedir)
REFLOOP_SYSTEM_CALL(link)
REFLOOP_SYSTEM_CALL(lstat)
REFLOOP_SYSTEM_CALL(mkdir)
REFLOOP_SYSTEM_CALL(mkdtemp)
REFLOOP_SYSTEM_CALL(opendir)
REFLOOP_SYSTEM_CALL(readdir)
REFLOOP_SYSTEM_CALL(readlink)
REFLOOP_SYSTEM_CALL(realpath)
REFLOOP_SYSTEM_CALL(rename)
REFLOOP_SYSTEM_CALL(rmdir)
REFLOOP_SYSTEM_CALL(stat)
REFLOOP_SYSTEM_CALL(symlink)
REFLOOP_SYSTEM_CALL(truncate)
REFLOOP_SYSTEM_CALL(unlink)
REFLOOP_SYSTEM_CALL(utimensat)

// Names of machines.
REFLOOP_SYSTEM_CALL(getaddrinfo)
REFLOOP_SYSTEM_CALL(getnameinfo)

}  // namespace refloop::sys
