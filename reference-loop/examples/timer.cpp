// A timer that repeats, and a loop that ends because nothing is left to do.
#include "reference-loop/timer.h"

#include <cstdio>

#include "reference-loop/loop.h"

using namespace std::chrono_literals;

// A handle's memory is ours: what belongs to a callback stands beside it.
struct Ticker : refloop::Timer {
  using Timer::Timer;
  int ticks_left = 3;
};

int main() {
  const auto loop = refloop::Loop::create();
  if (!loop) return 1;
  Ticker ticker(**loop);
  const auto started = ticker.start(
      [](refloop::Timer& timer) {
        auto& self = static_cast<Ticker&>(timer);
        std::printf("tick, %d to go\n", --self.ticks_left);
        if (self.ticks_left == 0) self.stop();
      },
      20ms, 20ms);
  if (!started) return 1;
  (*loop)->run();  // until the timer stops: nothing else keeps the loop alive
  std::printf("nothing left to do\n");
}
