#include "harness/load/request_book.h"

#include <algorithm>
#include <cassert>

namespace tickmark::load {

RequestBook::RequestBook(int connections, size_t capacity) : lines_(static_cast<size_t>(connections)) {
  pool_.resize(std::max<size_t>(capacity, 2));
  for (size_t i = pool_.size(); i-- > 0;) {
    pool_[i].next = free_;
    free_ = static_cast<RequestIndex>(i);
  }
}

RequestIndex RequestBook::add(uint32_t connection, uint64_t number, Nanos intended, bool measured) {
  if (free_ == kNoRequest) grow();
  RequestIndex i = free_;
  Request& r = pool_[i];
  free_ = r.next;
  assert(newest_ == kNoRequest || pool_[newest_].intended <= intended);
  r = Request{.number = number, .intended = intended, .connection = connection, .measured = measured};
  r.older = newest_;
  (newest_ == kNoRequest ? oldest_ : pool_[newest_].newer) = i;
  newest_ = i;
  push(lines_[connection].waiting, i);
  ++open_;
  return i;
}

RequestIndex RequestBook::send_front(uint32_t connection, Nanos at) {
  Lines& lines = lines_[connection];
  RequestIndex i = pop(lines.waiting);
  pool_[i].sent = at;
  push(lines.outstanding, i);
  return i;
}

void RequestBook::end_outstanding(uint32_t connection) { release(pop(lines_[connection].outstanding)); }

void RequestBook::end_waiting(uint32_t connection) { release(pop(lines_[connection].waiting)); }

void RequestBook::give_up(RequestIndex i) {
  unlink(i);
  pool_[i].given_up = true;
}

RequestIndex RequestBook::pop(Line& line) {
  assert(!line.empty());
  RequestIndex i = line.front;
  line.front = pool_[i].next;
  if (line.front == kNoRequest) line.back = kNoRequest;
  pool_[i].next = kNoRequest;
  return i;
}

void RequestBook::push(Line& line, RequestIndex i) {
  (line.empty() ? line.front : pool_[line.back].next) = i;
  line.back = i;
}

void RequestBook::unlink(RequestIndex i) {
  Request& r = pool_[i];
  (r.older == kNoRequest ? oldest_ : pool_[r.older].newer) = r.newer;
  (r.newer == kNoRequest ? newest_ : pool_[r.newer].older) = r.older;
}

void RequestBook::release(RequestIndex i) {
  if (!pool_[i].given_up) unlink(i);
  pool_[i].next = free_;
  free_ = i;
  --open_;
}

/// Doubling: an overloaded lane (a frozen subject) may pile up more than was foreseen.
void RequestBook::grow() {
  size_t old = pool_.size();
  assert(old < kNoRequest / 2);
  pool_.resize(old * 2);
  for (size_t i = pool_.size(); i-- > old;) {
    pool_[i].next = free_;
    free_ = static_cast<RequestIndex>(i);
  }
}

}  // namespace tickmark::load
