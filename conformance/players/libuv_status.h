#pragma once
// libuv's results in the words of docs/traces.md.

#include <cassert>
#include <string_view>
#include <uv.h>

namespace tickmark::conformance {

/// Status of a callback, or of a call that will call back; "" = ok.
inline std::string_view status_name(int status) {
  if (status >= 0) return "";
  if (status == UV_ECANCELED || status == UV_EAI_CANCELED) return "canceled";
  return status == UV_ECONNREFUSED ? "refused" : "error";
}

/// Status of a call that is recorded for itself.
inline std::string_view call_status(int status) {
  if (status >= 0) return "ok";
  if (status == UV_EBUSY) return "busy";
  if (status == UV_EAGAIN) return "again";
  return status == UV_EINVAL ? "invalid" : "error";
}

/// For calls that a correct player makes in a correct order.
inline void check_ok([[maybe_unused]] int status) { assert(status >= 0); }

}  // namespace tickmark::conformance
