#pragma once
// The main() of every C++ subject: DESIGN.md's contract "a subject is a process" is spoken here once, and
// an architecture gives only what is its own.
//
//   int main(int argc, char** argv) {
//     tickmark::SubjectDescription description;
//     description.name = "raw_epoll";
//     description.workloads = {"sockets"};
//     return tickmark::subject::subject_main(argc, argv, {.description = description, .serve = serve});
//   }

#include "harness/base/error.h"
#include "harness/subject/play.h"
#include "harness/subject/serve_context.h"
#include "harness/vocabulary/subject.h"

namespace tickmark::subject {

struct SubjectProgram {
  /// Versions of compiler, OpenSSL and kernel are added by subject_main, "play" to the features.
  SubjectDescription description;
  /// Serves until on_stop calls; then returns what was counted.
  Expected<Final> (*serve)(ServeContext&) = nullptr;
  /// The conformance player, if any; returns the exit code.
  int (*play)(const PlayRequest&) = nullptr;
};

/// Returns the exit code: 0 done, 2 usage, 3 environment; errors are one sentence on stderr.
int subject_main(int argc, char** argv, const SubjectProgram& program);

}  // namespace tickmark::subject
