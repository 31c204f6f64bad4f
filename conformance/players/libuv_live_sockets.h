#pragma once
// The workload sockets, a byte-stream echo, served in the very loop that libuv's player plays in (`play
// --serve sockets`): the rules under load. Nothing of it keeps the loop alive while runs go on.

#include <cstdint>
#include <memory>
#include <uv.h>
#include <vector>

#include "harness/base/error.h"

namespace tickmark::conformance {

class UvLiveSockets {
 public:
  UvLiveSockets();
  ~UvLiveSockets() = default;  // never: it lives until the process ends, with its clients
  UvLiveSockets(const UvLiveSockets&) = delete;
  UvLiveSockets& operator=(const UvLiveSockets&) = delete;

  /// Says on stdout where it listens, and returns when so many connections are open.
  Expected<void> serve(int connections);
  uv_loop_t& loop() { return loop_; }
  /// Whether a handle of the loop is one of these.
  static bool owns(const uv_handle_t* handle);

 private:
  static void on_connection(uv_stream_t* listener, int status);
  static void on_read(uv_stream_t* stream, ssize_t size, const uv_buf_t* buffer);

  uv_loop_t loop_{};
  uv_tcp_t listener_{};
  int open_ = 0;
  bool playing_ = false;
  std::vector<char> buffer_ = std::vector<char>(64 * 1024);
};

}  // namespace tickmark::conformance
