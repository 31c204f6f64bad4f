// A doubly linked list whose links live in its elements: every queue of the loop is one of these, so
// that queueing never allocates and removing needs no search. Not thread-safe.
#pragma once

#include <cassert>

namespace refloop {

struct DefaultTag {};

// Base of a listable type; one base per list an object may be in at the same time, told apart by Tag.
template <typename Tag = DefaultTag>
class ListHook {
 public:
  ListHook() = default;
  ListHook(const ListHook&) = delete;
  ListHook& operator=(const ListHook&) = delete;

  bool is_linked() const { return next_ != nullptr; }
  // Leaves whatever list it is in; harmless when in none.
  void unlink() {
    if (!next_) return;
    next_->prev_ = prev_;
    prev_->next_ = next_;
    next_ = prev_ = nullptr;
  }

 protected:
  ~ListHook() { assert(!is_linked() && "destroyed while still queued in the loop"); }

 private:
  template <typename, typename>
  friend class IntrusiveList;
  ListHook* prev_ = nullptr;
  ListHook* next_ = nullptr;
};

template <typename T, typename Tag = DefaultTag>
class IntrusiveList {
 public:
  using Hook = ListHook<Tag>;

  IntrusiveList() { head_.prev_ = head_.next_ = &head_; }
  ~IntrusiveList() {
    while (!empty()) pop_front();
    head_.prev_ = head_.next_ = nullptr;
  }

  // From front to back; the list stays as it is meanwhile.
  class Iterator {
   public:
    explicit Iterator(Hook* hook) : hook_(hook) {}
    T& operator*() const { return static_cast<T&>(*hook_); }
    Iterator& operator++() {
      hook_ = hook_->next_;
      return *this;
    }
    bool operator!=(const Iterator& other) const { return hook_ != other.hook_; }

   private:
    Hook* hook_;
  };
  Iterator begin() { return Iterator(head_.next_); }
  Iterator end() { return Iterator(&head_); }

  bool empty() const { return head_.next_ == &head_; }
  T& front() { return static_cast<T&>(*head_.next_); }

  void push_back(T& element) { insert_before(head_, element); }
  void push_front(T& element) { insert_before(*head_.next_, element); }

  T& pop_front() {
    T& element = front();
    static_cast<Hook&>(element).unlink();
    return element;
  }

  // In order. `visit` may unlink the element it is given, and no other.
  template <typename Visit>
  void for_each(Visit&& visit) {
    for (Hook* hook = head_.next_; hook != &head_;) {
      Hook* const next = hook->next_;
      visit(static_cast<T&>(*hook));
      hook = next;
    }
  }

  // Takes every element of `other`, behind its own. How a phase takes a snapshot of its queue.
  void splice_back(IntrusiveList& other) {
    if (other.empty()) return;
    Hook* first = other.head_.next_;
    Hook* last = other.head_.prev_;
    other.head_.prev_ = other.head_.next_ = &other.head_;
    first->prev_ = head_.prev_;
    head_.prev_->next_ = first;
    last->next_ = &head_;
    head_.prev_ = last;
  }

 private:
  struct Head : Hook {};

  void insert_before(Hook& position, T& element) {
    Hook& hook = element;
    assert(!hook.is_linked() && "already queued");
    hook.next_ = &position;
    hook.prev_ = position.prev_;
    position.prev_->next_ = &hook;
    position.prev_ = &hook;
  }

  Head head_;
};

}  // namespace refloop
