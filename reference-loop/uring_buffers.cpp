#include "reference-loop/uring_buffers.h"

#include <cassert>
#include <cstring>

#include "reference-loop/sys.h"

namespace refloop {

Result<void> UringBuffers::open(UringRing& ring) {
  constexpr std::uint16_t kIncremental = 2;  // IOU_PBUF_RING_INC, newer than the header
  if (!shared_.allocate(kBuffers * sizeof(io_uring_buf)) || !memory_.allocate(kBuffers * kBufferBytes))
    return failure(Error::no_memory);
  std::memset(shared_.data(), 0, shared_.capacity());
  for (unsigned id = 0; id < kBuffers; ++id) provide(id);
  io_uring_buf_reg registration{};
  registration.ring_addr = reinterpret_cast<std::uint64_t>(shared_.data());
  registration.ring_entries = kBuffers;
  registration.bgid = kGroup;
  registration.pad = kIncremental;
  if (sys::uring_register(ring.fd(), IORING_REGISTER_PBUF_RING, static_cast<const void*>(&registration), 1u))
    return failure(last_error());
  return {};
}

void UringBuffers::provide(unsigned id) {
  assert(used_[id] == kBufferBytes || used_[id] == 0);
  used_[id] = 0;
  auto* const ring = reinterpret_cast<io_uring_buf_ring*>(shared_.data());
  io_uring_buf_ring_add(ring, address(id), kBufferBytes, static_cast<unsigned short>(id),
                        io_uring_buf_ring_mask(kBuffers), 0);
  io_uring_buf_ring_advance(ring, 1);
}

}  // namespace refloop
