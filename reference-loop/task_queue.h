// A FIFO of callables in a ring that grows and never shrinks: after warm-up, queueing allocates only what
// a callable's own captures need.
#pragma once

#include <cstddef>
#include <functional>
#include <utility>
#include <vector>

#include "reference-loop/trace.h"

namespace refloop {

using Task = std::move_only_function<void()>;

struct QueuedTask {
  Task run;
  TraceTag tag;
  Kind kind = Kind::none;  // none: machinery, not traced
};

class TaskQueue {
 public:
  bool empty() const { return size_ == 0; }

  void push(QueuedTask task) {
    if (size_ == ring_.size()) grow();
    ring_[(head_ + size_) & (ring_.size() - 1)] = std::move(task);
    ++size_;
  }

  QueuedTask pop() {
    QueuedTask task = std::move(ring_[head_]);
    head_ = (head_ + 1) & (ring_.size() - 1);
    --size_;
    return task;
  }

 private:
  void grow() {
    std::vector<QueuedTask> larger(ring_.empty() ? 64 : ring_.size() * 2);
    for (std::size_t i = 0; i < size_; ++i) larger[i] = std::move(ring_[(head_ + i) & (ring_.size() - 1)]);
    ring_ = std::move(larger);
    head_ = 0;
  }

  std::vector<QueuedTask> ring_;  // its size is a power of two
  std::size_t head_ = 0;
  std::size_t size_ = 0;
};

}  // namespace refloop
