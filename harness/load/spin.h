#pragma once

namespace tickmark::load {

/// When the generator looks again and again instead of sleeping. On a core of its own only.
enum class Spin {
  kNever,
  kBeforeDeadlines,  ///< the last microseconds before a send is due: sends are on time, replies wake it
  kAlways,  ///< for replies, too: each is seen at once. A server whose peer never sleeps never wakes anybody,
            ///< and so uses less CPU per reply: not for comparing what servers cost
};

}  // namespace tickmark::load
