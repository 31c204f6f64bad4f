// What travels with a submission of the loop and comes back with its completion (user_data): what was asked,
// and of whom.
//
//   operation (8 bits) | generation (24 bits) | descriptor, or an index of the operation's own (32 bits)
#pragma once

#include <cstdint>
#include <liburing.h>

namespace refloop {

// Receiving comes first: most completions are of it, and one comparison tells them from the others. Sends
// have the highest bit. The bit of cancelling says that what is cancelled follows it.
enum class UringOperation : std::uint8_t {
  receive,
  accept,
  poll,
  file,
  none,
  cancel = 0x40,
  send = 0x80,  // from the outbox
  write,        // of a stream's queue
};

// A descriptor as it was when something was asked of it. Closed and reused since: it finds nobody.
struct UringKey {
  static constexpr std::uint32_t kGenerationMask = 0xffffff;

  std::uint32_t fd = 0;
  std::uint32_t generation = 0;  // at most kGenerationMask

  static std::uint32_t next_generation(std::uint32_t generation) {
    return (generation + 1) & kGenerationMask;
  }
};

class UringTag {
 public:
  explicit UringTag(std::uint64_t user_data) : bits_(user_data) {}
  explicit UringTag(const io_uring_cqe& completion) : bits_(completion.user_data) {}
  UringTag(UringOperation operation, UringKey key)
      : bits_(std::uint64_t{static_cast<std::uint8_t>(operation)} << 56 |
              std::uint64_t{key.generation} << 32 | key.fd) {}
  static UringTag of_cancelling(UringTag target) {
    return UringTag(target.bits_ | std::uint64_t{static_cast<std::uint8_t>(UringOperation::cancel)} << 56);
  }

  std::uint64_t user_data() const { return bits_; }
  UringOperation operation() const {
    return is_of_cancelling() ? UringOperation::cancel : static_cast<UringOperation>(bits_ >> 56);
  }
  UringKey key() const {
    return {.fd = static_cast<std::uint32_t>(bits_),
            .generation = static_cast<std::uint32_t>(bits_ >> 32) & UringKey::kGenerationMask};
  }
  bool is_of_receiving() const { return bits_ >> 56 == 0; }
  bool is_of_sending() const { return static_cast<std::int64_t>(bits_) < 0; }
  // What a cancel was to end.
  UringTag target() const {
    return UringTag(bits_ & ~(std::uint64_t{static_cast<std::uint8_t>(UringOperation::cancel)} << 56));
  }

 private:
  bool is_of_cancelling() const { return (bits_ >> 56 & 0x40) != 0; }

  std::uint64_t bits_;
};

}  // namespace refloop
