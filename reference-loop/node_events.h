// What the process tells the program: errors nobody caught, rejections nobody handled, its end.
//
// One handler each, empty until assigned; not to be assigned from within itself. Each is a callback like
// any other: it may queue ticks and so on, and may fail with throw_error().
#pragma once

#include <cstdint>
#include <functional>

#include "reference-loop/node_promise.h"

namespace refloop {

enum class ErrorOrigin : std::uint8_t { exception, rejection };

struct NodeEvents {
  // 'uncaughtException'. Without a handler an error ends the process: 'exit' with code 1.
  std::move_only_function<void(const Value& error, ErrorOrigin origin)> uncaught_exception;
  // 'unhandledRejection'. Without a handler the rejection is an uncaught error of origin `rejection`.
  std::move_only_function<void(const Value& reason, const Promise& promise)> unhandled_rejection;
  // 'rejectionHandled': a promise that was reported has found a handler since.
  std::move_only_function<void(const Promise& promise)> rejection_handled;
  // 'beforeExit': the loop is empty. What is started here keeps the process alive, and then it is asked
  // again.
  std::move_only_function<void(int code)> before_exit;
  // 'exit': the end.
  std::move_only_function<void(int code)> exit;
};

}  // namespace refloop
