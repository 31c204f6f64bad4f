// The buffers that all streams of a loop receive into: a ring the kernel takes from when bytes have arrived,
// so that an idle connection needs none.
//
// It fills a buffer from its beginning to its end, one receive behind the other (IOU_PBUF_RING_INC, Linux
// 6.12), so a batch of small messages touches a few neighbouring cache lines and not one page per message.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "reference-loop/error.h"
#include "reference-loop/loop.h"
#include "reference-loop/page_buffer.h"
#include "reference-loop/uring_ring.h"

namespace refloop {

class UringBuffers {
 public:
  static constexpr std::uint16_t kGroup = 0;

  // What the kernel said: EINVAL (too old), ENOMEM.
  Result<void> open(UringRing& ring);

  // The bytes of one receive, in the order of the completions. Valid until give_back(), before the next.
  Bytes take(unsigned id, std::size_t size) {
    const Bytes bytes(address(id) + used_[id], size);
    used_[id] += static_cast<std::uint32_t>(size);
    return bytes;
  }
  void give_back(unsigned id) {
    if (used_[id] >= kBufferBytes) [[unlikely]]
      provide(id);
  }

 private:
  static constexpr unsigned kBuffers = 16;
  static constexpr std::uint32_t kBufferBytes = 64 * 1024;

  std::byte* address(unsigned id) const { return memory_.data() + std::size_t{id} * kBufferBytes; }
  void provide(unsigned id);

  PageBuffer shared_;  // the ring itself
  PageBuffer memory_;
  std::array<std::uint32_t, kBuffers> used_{};
};

}  // namespace refloop
