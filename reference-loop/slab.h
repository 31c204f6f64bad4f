// Objects addressed by a small id that goes stale safely: a clear_timeout() of a timeout long gone finds
// nothing, even if its memory serves another one now.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

namespace refloop {

struct SlabId {
  std::uint32_t index = 0;
  std::uint32_t generation = 0;  // 0: refers to nothing
};

// T has a member `SlabId slab_id`. Elements never move; memory is reused, newest first.
template <typename T>
class Slab {
 public:
  T& allocate() {
    if (free_.empty()) {
      T& element = elements_.emplace_back();
      element.slab_id = {static_cast<std::uint32_t>(elements_.size() - 1), 1};
      return element;
    }
    T& element = elements_[free_.back()];
    free_.pop_back();
    return element;
  }

  void free(T& element) {
    if (++element.slab_id.generation == 0) element.slab_id.generation = 1;
    free_.push_back(element.slab_id.index);
  }

  // One that is allocated.
  T& at(std::uint32_t index) { return elements_[index]; }
  // Nothing if `id` was freed.
  T* find(SlabId id) {
    if (id.generation == 0 || id.index >= elements_.size()) return nullptr;
    T& element = elements_[id.index];
    return element.slab_id.generation == id.generation ? &element : nullptr;
  }

 private:
  std::deque<T> elements_;
  std::vector<std::uint32_t> free_;
};

}  // namespace refloop
