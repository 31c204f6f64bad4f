// Says no for the kernel: where sys.h sends every system call in a build with -DREFLOOP_FAULTS.
//
// Nothing happens until a Strike is armed. Then the calls that match it are counted, and those from the
// first-th on fail, fall short or report failure after they took effect, as often as was asked. One strike at
// a time, from any number of threads and of processes forked from this one: the pool calls the kernel, too,
// and so do the workers of a cluster.
#pragma once

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <type_traits>

#include "reference-loop/faults/ring_faults.h"

namespace refloop::faults {

// In which way a call goes wrong.
enum class Manner : std::uint8_t {
  fails,       // at once, without effect
  fails_late,  // takes effect and reports failure all the same: close(), an interrupted connect()
  is_short,    // does a part of what was asked: one byte, one message, one event
  says_zero,   // does nothing and says so
};

// What a call's first argument refers to, where the same call has different faults on different things.
enum class Target : std::uint8_t { anything, file, stream, kernel_object };

struct Strike {
  std::string_view call;  // its name in sys.h; static storage
  Target target = Target::anything;
  Manner manner = Manner::fails;
  int error = 0;       // an errno; of getaddrinfo() an EAI_* number
  unsigned first = 1;  // which of the matching calls goes wrong, counted from arm()
  unsigned times = 1;  // how many in a row
};

class Injector {
 public:
  static Injector& instance();

  // Forgets all counts; from here calls are counted, and struck if they match.
  void arm(const Strike& strike);
  void count_only() { arm({}); }
  void disarm();

  // Since arm().
  unsigned calls(std::string_view call, Target target) const;
  unsigned total_calls() const;
  unsigned hits() const;

  // Counts a call; true: it goes wrong as `strike` says, which was armed before.
  bool strikes(std::string_view call, int first_argument, Strike& strike);

 private:
  struct State;

  Injector();
  static Target target_of(int descriptor);

  State& state_;  // in memory shared with forked processes
};

// How a call reports failure is part of its manual page: -1 and errno, unless it is one of these.
template <typename R>
R failed(std::string_view call, int error) {
  if constexpr (std::is_pointer_v<R>) {
    errno = error;
    return nullptr;
  } else {
    if (call.starts_with("pthread_") || call.starts_with("posix_spawn") || call == "getaddrinfo" ||
        call == "getnameinfo")
      return error;
    if (call.starts_with("io_uring_")) return -error;
    errno = error;
    return -1;
  }
}

// The same call for as little as it can be made for. A call that has no shorter form passes.
template <typename Real, typename Buffer, typename... Rest>
auto shortened(Real real, int fd, Buffer* bytes, std::size_t size, Rest... rest) {
  return real(fd, bytes, std::min<std::size_t>(size, 1), rest...);
}
template <typename Real, typename... Rest>
auto shortened(Real real, int fd, epoll_event* events, int count, Rest... rest) {
  return real(fd, events, std::min(count, 1), rest...);
}
template <typename Real, typename Message, typename Flags>
requires std::is_same_v<std::remove_const_t<Message>, msghdr>
auto shortened(Real real, int fd, Message* message, Flags flags) {
  msghdr first_byte = *message;
  iovec buffer = message->msg_iov[0];
  buffer.iov_len = std::min<std::size_t>(buffer.iov_len, 1);
  first_byte.msg_iov = &buffer;
  first_byte.msg_iovlen = 1;
  const auto result = real(fd, &first_byte, flags);
  if constexpr (!std::is_const_v<Message>) {  // what recvmsg() reports in it
    message->msg_namelen = first_byte.msg_namelen;
    message->msg_controllen = first_byte.msg_controllen;
    message->msg_flags = first_byte.msg_flags;
  }
  return result;
}
template <typename Real, typename... Rest>
auto shortened(Real real, int fd, mmsghdr* messages, unsigned count, Rest... rest) {
  return real(fd, messages, std::min(count, 1u), rest...);
}
template <typename Real, typename... Arguments>
auto shortened(Real real, Arguments... arguments) {
  return real(arguments...);
}

inline int first_argument() { return -1; }
template <typename First, typename... Rest>
int first_argument(First first, Rest...) {
  if constexpr (std::is_same_v<First, int>)
    return first;
  else
    return -1;
}

// What sys::<call>(arguments...) is in a build with faults. `real` makes the call.
template <typename Real, typename... Arguments>
auto intercept(const char* call, Real real, Arguments... arguments) {
  using Returned = decltype(real(arguments...));
  before_entering(arguments...);
  Strike strike;
  if (!Injector::instance().strikes(call, first_argument(arguments...), strike)) {
    const auto result = real(arguments...);
    note_ring(result, arguments...);
    return result;
  }
  switch (strike.manner) {
    case Manner::fails:
      return failed<Returned>(call, strike.error);
    case Manner::fails_late:
      (void)real(arguments...);
      return failed<Returned>(call, strike.error);
    case Manner::is_short:
      return shortened(real, arguments...);
    case Manner::says_zero:
      break;
  }
  return Returned{};
}

}  // namespace refloop::faults
