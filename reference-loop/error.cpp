#include "reference-loop/error.h"

#include <cstring>
#include <netdb.h>

namespace refloop {
namespace {

// Above every errno of Linux.
constexpr int kResolverErrors = 1000;

std::string_view resolver_name(int code) {
  switch (code) {
    case EAI_BADFLAGS:
      return "EAI_BADFLAGS";
    case EAI_NONAME:
      return "EAI_NONAME";
    case EAI_AGAIN:
      return "EAI_AGAIN";
    case EAI_FAIL:
      return "EAI_FAIL";
    case EAI_FAMILY:
      return "EAI_FAMILY";
    case EAI_SOCKTYPE:
      return "EAI_SOCKTYPE";
    case EAI_SERVICE:
      return "EAI_SERVICE";
    case EAI_OVERFLOW:
      return "EAI_OVERFLOW";
    default:
      return "EUNKNOWN";
  }
}

// 0 for an errno.
int resolver_code(Error error) {
  const int number = static_cast<int>(error);
  return number > kResolverErrors ? kResolverErrors - number : 0;
}

}  // namespace

Error error_from_resolver(int code) {
  if (code == EAI_SYSTEM) return last_error();
  if (code == EAI_MEMORY) return Error::no_memory;
  return static_cast<Error>(kResolverErrors - code);
}

std::string_view name_of(Error error) {
  if (error == Error::none) return "OK";
  if (const int code = resolver_code(error); code != 0) return resolver_name(code);
  const char* name = strerrorname_np(static_cast<int>(error));
  return name ? name : "EUNKNOWN";
}

std::string_view message_of(Error error) {
  if (const int code = resolver_code(error); code != 0) return gai_strerror(code);
  const char* text = strerrordesc_np(static_cast<int>(error));
  return text ? text : "unknown error";
}

}  // namespace refloop
