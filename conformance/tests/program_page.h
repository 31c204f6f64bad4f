#pragma once
// docs/acceptor.md: what the acceptor knows, and how tight it is, as figures of this build.

#include <string>

namespace tickmark::programs {

std::string acceptor_page();

}  // namespace tickmark::programs
