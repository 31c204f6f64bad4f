#include "harness/run/signals.h"

#include <atomic>

namespace tickmark::run {
namespace {

std::atomic<int> caught_signal{0};

void note(int signal) { caught_signal.store(signal, std::memory_order_relaxed); }

}  // namespace

SignalWatch::SignalWatch() {
  caught_signal = 0;
  struct sigaction action {};
  action.sa_handler = note;
  action.sa_flags = static_cast<int>(SA_RESETHAND) | SA_RESTART;
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, &old_int_);
  sigaction(SIGTERM, &action, &old_term_);
}

SignalWatch::~SignalWatch() {
  sigaction(SIGINT, &old_int_, nullptr);
  sigaction(SIGTERM, &old_term_, nullptr);
}

int SignalWatch::caught() { return caught_signal.load(std::memory_order_relaxed); }

}  // namespace tickmark::run
