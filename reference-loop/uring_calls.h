// The system calls of io_uring with the errno in errno, as every other call has it: the C library has no
// wrappers for them, and liburing's return the errno instead. Called through reference-loop/sys.h.
#pragma once

#include <cstddef>
#include <sys/syscall.h>
#include <unistd.h>

inline int uring_setup(unsigned entries, void* params) {
  return static_cast<int>(::syscall(SYS_io_uring_setup, entries, params));
}
inline int uring_enter(int fd, unsigned to_submit, unsigned min_complete, unsigned flags,
                       const void* argument, std::size_t size) {
  return static_cast<int>(::syscall(SYS_io_uring_enter, fd, to_submit, min_complete, flags, argument, size));
}
inline int uring_register(int fd, unsigned opcode, const void* argument, unsigned count) {
  return static_cast<int>(::syscall(SYS_io_uring_register, fd, opcode, argument, count));
}
