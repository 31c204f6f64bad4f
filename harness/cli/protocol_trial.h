#pragma once
// `tickmark conform --self-test -- COMMAND...`: tries a foreign player on the protocol of
// docs/subject-protocol.md before any rule is asked of it, and says in sentences what is still wrong.

#include "harness/base/error.h"
#include "harness/process/subject_process.h"

namespace tickmark::cli {

/// `command` is the subject's, without a verb. Prints a line per case, and below it what is to be mended; the
/// exit code is kFinding if anything is. kEnvironment: nowhere to write scenario files.
Expected<int> self_test(const process::Command& command);

}  // namespace tickmark::cli
