#pragma once
// The reference loop's errors in the words of docs/traces.md.

#include <string_view>

#include "reference-loop/error.h"

namespace tickmark::conformance {

/// Status of a callback; "" = ok.
inline std::string_view status_name(refloop::Error error) {
  if (error == refloop::Error::none) return "";
  if (error == refloop::Error::canceled) return "canceled";
  return error == refloop::Error::connection_refused ? "refused" : "error";
}

/// Status of a call that will call back: "" = accepted.
inline std::string_view status_name(const refloop::Result<void>& result) {
  return result ? "" : status_name(result.error());
}

/// Status of a call that is recorded for itself.
inline std::string_view call_status(const refloop::Result<void>& result) {
  if (result) return "ok";
  if (result.error() == refloop::Error::busy) return "busy";
  return result.error() == refloop::Error::bad_state ? "invalid" : "error";
}

}  // namespace tickmark::conformance
