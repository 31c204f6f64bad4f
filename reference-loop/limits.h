// The loop's fixed sizes, in one place.
#pragma once

#include <cstddef>

namespace refloop {

// Lent to one read callback at a time; a read never delivers more at once.
inline constexpr std::size_t kReadBufferBytes = 64 * 1024;
// Events taken from the kernel by one poll.
inline constexpr int kPollBatchEvents = 1024;
// Full batches in a row before the other phases get their turn.
inline constexpr int kPollBatchesMax = 4;
// Connections accepted from one listener per batch: 5,000 connecting at once are served within a few
// turns, and those already open are read in between.
inline constexpr int kAcceptsPerBatch = 256;
// Datagrams received from one socket per batch, and sent by it from its queue per turn.
inline constexpr int kDatagramsPerBatch = 32;
// No UDP datagram is larger.
inline constexpr std::size_t kDatagramBytesMax = 64 * 1024;
// Descriptors that may wait on one pipe to be taken; the kernel passes at most 253 at once.
inline constexpr std::size_t kDescriptorsQueuedMax = 256;
// Messages delivered by one port per turn.
inline constexpr int kMessagesPerTurn = 256;
// Gather list of one write.
inline constexpr std::size_t kWriteBuffersMax = 4;

}  // namespace refloop
