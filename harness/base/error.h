#pragma once
// Operating errors are values; programmer errors assert. The kind decides the exit code, so that the
// same fault ends every verb the same way.

#include <expected>
#include <string>
#include <utility>

namespace tickmark {

enum class ErrorKind {
  kUsage,        ///< bad input of the user: exit 2
  kEnvironment,  ///< this machine cannot do it (missing package, too few descriptors, port in use): exit 3
  kSubject,      ///< a fault of the subject: a result, recorded, never ends a run
};

/// One sentence that names the input, what was expected, and what to do next.
struct Error {
  ErrorKind kind = ErrorKind::kUsage;
  std::string message;
};

template <typename T>
using Expected = std::expected<T, Error>;

inline std::unexpected<Error> usage_error(std::string message) {
  return std::unexpected(Error{ErrorKind::kUsage, std::move(message)});
}
inline std::unexpected<Error> environment_error(std::string message) {
  return std::unexpected(Error{ErrorKind::kEnvironment, std::move(message)});
}
inline std::unexpected<Error> subject_error(std::string message) {
  return std::unexpected(Error{ErrorKind::kSubject, std::move(message)});
}

inline int exit_code(ErrorKind kind) { return kind == ErrorKind::kUsage ? 2 : 3; }

}  // namespace tickmark
