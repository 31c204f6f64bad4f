#include "reference-loop/error.h"

#include <cstring>

namespace refloop {

std::string_view name_of(Error error) {
  if (error == Error::none) return "OK";
  const char* name = strerrorname_np(static_cast<int>(error));
  return name ? name : "EUNKNOWN";
}

std::string_view message_of(Error error) {
  const char* text = strerrordesc_np(static_cast<int>(error));
  return text ? text : "unknown error";
}

}  // namespace refloop
