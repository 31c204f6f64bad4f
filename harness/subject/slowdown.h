#pragma once
// A slowdown put into our own subjects on purpose, to see what the regression gate sees: for each request
// busy work in proportion to what requests cost. Only for that; without the option nothing of it is there.

#include <string_view>

#include "harness/base/error.h"
#include "harness/vocabulary/service.h"

namespace tickmark::subject {

/// `5%` or `5`: a share of at most 100 %, as 0.05. Usage error otherwise.
Expected<double> parse_slowdown(std::string_view text);

/// The service, whose every request makes its thread use `share` more CPU than it would have: the thread's
/// own clock is read every few requests, and what is owed since is spun away. Shared by all connections, so
/// that none of them costs more memory. Work that is offloaded to other threads is not slowed down.
Service slowed_down(Service service, double share);

}  // namespace tickmark::subject
