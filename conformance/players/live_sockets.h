#pragma once
// What native players share that serve sockets beside their runs (`play --serve sockets`).

#include <cstdint>

namespace tickmark::conformance {

inline constexpr int kLiveBacklog = 4096;

/// As many descriptors as the process may have.
void raise_descriptor_limit();
/// The ready line of the subject contract, on stdout.
void say_ready(uint16_t port);

}  // namespace tickmark::conformance
