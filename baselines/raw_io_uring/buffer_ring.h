#pragma once
// The receive buffers, as one ring the kernel takes from.
//
// It fills a buffer from its beginning to its end, one receive behind the other (Linux 6.12), so that a batch
// of small messages touches a few neighbouring cache lines and not one page per message.

#include <cassert>
#include <cstddef>
#include <liburing.h>
#include <memory>
#include <vector>

namespace tickmark {

class BufferRing {
 public:
  static constexpr unsigned kBuffers = 16;
  static constexpr unsigned kBufferBytes = 64 * 1024;
  static constexpr int kGroup = 0;

  /// 0, or what the kernel said, negative.
  int register_with(io_uring& ring) {
    constexpr unsigned short kIncremental = 2;  // IOU_PBUF_RING_INC, newer than the header
    io_uring_buf_reg registration{};
    registration.ring_addr = reinterpret_cast<uint64_t>(ring_.get());
    registration.ring_entries = kBuffers;
    registration.bgid = kGroup;
    registration.pad = kIncremental;
    io_uring_buf_ring_init(ring_.get());
    for (unsigned id = 0; id < kBuffers; ++id) give_back(id);
    publish();
    return io_uring_register_buf_ring(&ring, &registration, 0);
  }

  /// The bytes of one receive: `size` of buffer `id`, behind those of the receive before. Valid until the
  /// second publish() after it, because a buffer that is used up is not given back at once.
  char* take(unsigned id, unsigned size) {
    char* const bytes = memory_.get() + size_t{id} * kBufferBytes + used_[id];
    used_[id] += size;
    assert(used_[id] <= kBufferBytes);
    if (used_[id] == kBufferBytes) used_up_.push_back(id);
    return bytes;
  }

  /// Everything taken so far has been sent: what is used up is the kernel's again.
  void recycle() {
    if (used_up_.empty()) return;
    for (const unsigned id : used_up_) give_back(id);
    used_up_.clear();
    publish();
  }

 private:
  struct Free {
    void operator()(void* memory) const { ::free(memory); }
  };

  void give_back(unsigned id) {
    used_[id] = 0;
    io_uring_buf_ring_add(ring_.get(), memory_.get() + size_t{id} * kBufferBytes, kBufferBytes,
                          static_cast<unsigned short>(id), io_uring_buf_ring_mask(kBuffers), given_++);
  }
  void publish() {
    io_uring_buf_ring_advance(ring_.get(), given_);
    given_ = 0;
  }

  std::unique_ptr<io_uring_buf_ring, Free> ring_{
      static_cast<io_uring_buf_ring*>(::aligned_alloc(4096, 4096))};
  std::unique_ptr<char, Free> memory_{
      static_cast<char*>(::aligned_alloc(4096, size_t{kBuffers} * kBufferBytes))};
  std::vector<unsigned> used_ = std::vector<unsigned>(kBuffers);
  std::vector<unsigned> used_up_;
  int given_ = 0;
};

}  // namespace tickmark
