// For benchmarks: the loops that ours is compared with.
#pragma once

#define ASIO_STANDALONE
#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <asio/steady_timer.hpp>
#include <asio/thread_pool.hpp>
#include <uv.h>

namespace refloop {

// A libuv loop that closes whatever is left in it.
struct UvLoop {
  UvLoop() { uv_loop_init(&loop); }
  ~UvLoop() {
    uv_walk(
        &loop,
        [](uv_handle_t* handle, void*) {
          if (!uv_is_closing(handle)) uv_close(handle, nullptr);
        },
        nullptr);
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_loop_close(&loop);
  }
  uv_loop_t loop;
};

}  // namespace refloop
