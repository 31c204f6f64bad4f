#pragma once
// What the counting tools write, read with distrust: a file that is cut off, of another tool or of another
// event is refused with a sentence, never taken for a small number.

#include <cstdint>
#include <optional>
#include <string_view>

#include "harness/base/error.h"

namespace tickmark::run {

/// Instructions (event Ir) of one process over its life, from the file that callgrind writes at its end. The
/// format is documented in valgrind's manual, "Callgrind Format Specification". kEnvironment, without the
/// file's name, which the caller knows.
Expected<uint64_t> callgrind_total(std::string_view text);

/// System calls of everything traced, from the table of `strace -c -f -U calls,name`; its total must be the
/// sum of its rows. Errors as above.
Expected<uint64_t> strace_total(std::string_view text);

/// The number of the system call that valgrind refused with ENOSYS because it does not know it, of what it
/// and the subject said; nothing if it refused none.
std::optional<uint64_t> unhandled_system_call(std::string_view said);

}  // namespace tickmark::run
