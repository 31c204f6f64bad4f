// Faults of what is submitted to an io_uring: its completion says no instead of the kernel.
//
// A submission that is struck becomes a no-op with the result that was asked for (IORING_NOP_INJECT_RESULT),
// or is made shorter, before the kernel sees it: so nothing has happened that its result denies, and every
// flag of its completion is the kernel's own. The rings are found by the calls that make them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <liburing.h>
#include <string_view>
#include <sys/types.h>

namespace refloop::faults {

// A ring was made, and one of its queues mapped.
void ring_made(int fd, const io_uring_params& parameters);
void ring_mapped(int fd, std::uint64_t offset, void* memory);
// What was submitted since the last time is counted, as calls named "IORING_OP_SEND", and struck.
void ring_entered(int fd);
// And what takes effect although its completion says no.
void ring_left(int fd);

// Which calls of sys.h these are is told by their arguments.
template <typename Returned, typename... Arguments>
void note_ring(const Returned&, const Arguments&...) {}
inline void note_ring(const int& fd, const unsigned&, io_uring_params* const& parameters) {
  if (fd >= 0) ring_made(fd, *parameters);
}
inline void note_ring(void* const& memory, const std::nullptr_t&, const std::size_t&, const int&, const int&,
                      const int& fd, const off_t& offset) {
  ring_mapped(fd, static_cast<std::uint64_t>(offset), memory);
}
inline void note_ring(const int&, const int& fd, const unsigned&, const unsigned&, const unsigned&,
                      const void* const&, const std::size_t&) {
  ring_left(fd);
}

template <typename... Arguments>
void before_entering(const Arguments&...) {}
inline void before_entering(const int& fd, const unsigned&, const unsigned&, const unsigned&,
                            const void* const&, const std::size_t&) {
  ring_entered(fd);
}

}  // namespace refloop::faults
