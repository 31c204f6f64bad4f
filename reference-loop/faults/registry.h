// Every system call of the loop and every way in which it can fail that matters, from the manual pages.
//
// "Matters": what the kernel can say to a correct program. What remains of a page's ERRORS is what only a bug
// of the loop could cause (kBugs) or has its reason in `not_injected`; the test checks that nothing of the
// page is left over.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "reference-loop/faults/injector.h"

namespace refloop::faults {

// What becomes of a program on the loop.
enum class Expect : std::uint8_t {
  unnoticed,            // all requests end as if nothing had happened
  reported,             // to the one who asked, by a refused call or by a callback with this very error
  reported_or_harmless  // reported where somebody needed it, unnoticed where nobody did
};

struct Fault {
  std::string_view name;  // "EINTR", "short"
  Manner manner;
  int error;
  Expect expect;
  std::string_view only_in = "";  // the one scenario it is played in; all, if empty
};

struct Call {
  std::string_view name;
  Target target;
  std::string_view page;  // where the faults are from: "recv(2)"
  std::vector<Fault> faults;
  // Errors of the page that are not injected, and why: "ENOENT: ...; EPERM: ...". Empty: only kBugs.
  std::string_view not_injected = "";
};

// What a call says only if the loop passes it nonsense; asserted or reported like any error, not injected.
inline constexpr std::string_view kBugs = "EBADF EFAULT EINVAL ENOTSOCK EOPNOTSUPP ENOPROTOOPT ENOTTY";

std::span<const Call> registry();

// A part of it: what is submitted to an io_uring, named like its opcodes.
std::vector<Call> ring_submissions();
std::vector<Call> ring_files();

}  // namespace refloop::faults
