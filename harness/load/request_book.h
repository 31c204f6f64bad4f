#pragma once
// Every request of a lane from the moment it falls due until its end: which connection's line it stands in,
// when it was sent, when it gives up. Plain bookkeeping with indices into one pool: nothing is allocated
// while the load runs unless more requests are open at once than ever before.

#include <cstdint>
#include <vector>

#include "harness/base/time.h"

namespace tickmark::load {

using RequestIndex = uint32_t;
inline constexpr RequestIndex kNoRequest = UINT32_MAX;

struct Request {
  uint64_t number = 0;  ///< of the lane, from 0: decides its bytes and its reply
  Nanos intended{0};
  Nanos sent = Nanos::min();  ///< when its first byte was handed to the kernel; min() while it waits
  uint32_t connection = 0;
  bool measured = false;            ///< belongs to the window
  bool given_up = false;            ///< timed out and counted; a pipelined stream still awaits its reply
  RequestIndex next = kNoRequest;   // in its line
  RequestIndex older = kNoRequest;  // in the lane, by intended time
  RequestIndex newer = kNoRequest;
};

/// A first-in first-out line of requests.
struct Line {
  RequestIndex front = kNoRequest, back = kNoRequest;
  bool empty() const { return front == kNoRequest; }
};

/// Requests of one lane. Each open request stands in exactly one line of its connection (`waiting`: due, not
/// sent; `outstanding`: sent, no reply) and, unless given up, in the lane's list by intended time.
class RequestBook {
 public:
  RequestBook(int connections, size_t capacity);

  Request& operator[](RequestIndex i) { return pool_[i]; }
  const Request& operator[](RequestIndex i) const { return pool_[i]; }
  const Line& waiting(uint32_t connection) const { return lines_[connection].waiting; }
  const Line& outstanding(uint32_t connection) const { return lines_[connection].outstanding; }
  /// The open request with the smallest intended time; kNoRequest if none.
  RequestIndex oldest() const { return oldest_; }
  uint64_t open() const { return open_; }  ///< requests in lines

  /// Appends a request to its connection's waiting line. Intended times never decrease within a lane.
  RequestIndex add(uint32_t connection, uint64_t number, Nanos intended, bool measured);
  /// Moves the front of the waiting line to the back of the outstanding line.
  RequestIndex send_front(uint32_t connection, Nanos at);
  /// Ends the front of a line: its slot is free when this returns.
  void end_outstanding(uint32_t connection);
  void end_waiting(uint32_t connection);
  /// Takes an outstanding request out of the list by intended time; it stays in its line.
  void give_up(RequestIndex i);

 private:
  struct Lines {
    Line waiting, outstanding;
  };
  RequestIndex pop(Line& line);
  void push(Line& line, RequestIndex i);
  void unlink(RequestIndex i);
  void release(RequestIndex i);
  void grow();

  std::vector<Request> pool_;
  std::vector<Lines> lines_;
  RequestIndex free_ = kNoRequest;
  RequestIndex oldest_ = kNoRequest, newest_ = kNoRequest;
  uint64_t open_ = 0;
};

}  // namespace tickmark::load
