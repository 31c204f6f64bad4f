// For the stress test: a world of handles that do random things in every callback, and the invariants that
// hold whatever they do.
//
//   every request completes exactly once          requests live until the end, each remembers that it did
//   nothing calls back after the close callback   actors do, too, or (every second seed) die in it
//   bytes arrive in order, and all of them        every stream carries a slice of one noise, from its own
//   start the loop ends empty                           when the budget is spent everything is closed
//
// The choices follow from a seed; the kernel's timing does not, so a seed replays the program, and nearly
// always the fault.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <functional>
#include <gtest/gtest.h>
#include <memory>
#include <unistd.h>
#include <utility>
#include <vector>

#include "reference-loop/stream.h"
#include "reference-loop/test_log.h"
#include "reference-loop/test_loop.h"

namespace refloop::stress {

class World;

// SplitMix64.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  std::size_t below(std::size_t limit) { return static_cast<std::size_t>(next() % limit); }
  bool one_in(std::size_t n) { return below(n) == 0; }

 private:
  std::uint64_t state_;
};

// Something with a handle, that can be told to do something.
class Actor {
 public:
  explicit Actor(World& world) : world_(world) {}
  Actor(const Actor&) = delete;
  Actor& operator=(const Actor&) = delete;
  virtual ~Actor() = default;

  virtual Handle& handle() = 0;
  virtual void act() = 0;  // one random thing that this handle can do
  virtual void end() { handle().close(&Actor::closed); }
  // A callback of the handle, not of a request: allowed as long as it is not closing.
  void called_back();
  // A request of it completed: allowed until the close callback.
  void completed(bool& done) {
    EXPECT_FALSE(gone_) << "a request completed after the close callback";
    EXPECT_FALSE(done) << "a request completed twice";
    done = true;
  }
  static void closed(Handle& handle);

 protected:
  World& world_;
  bool gone_ = false;

 private:
  friend class World;
  std::size_t index_ = 0;
};

// The bytes of one direction of one connection.
struct Channel {
  std::size_t start = 0;  // where in the noise it begins
  std::size_t written = 0;
  std::size_t read = 0;
  bool finished = false;  // shut down in order: the reader's end comes after `written` bytes
};

struct StressWrite : PlainWrite {
  Actor* actor = nullptr;
  bool done = false;
};

class World {
 public:
  static constexpr std::size_t kNoiseBytes = 1 << 20;
  static constexpr std::size_t kLiveMax = 80;

  World(std::uint64_t seed, std::size_t budget)
      : random(seed), budget_(budget), dies_at_once_(seed % 2 == 0) {
    Random noise(42);
    for (std::byte& byte : noise_) byte = static_cast<std::byte>(noise.next());
  }

  Loop& loop() { return *loop_; }
  Random random;
  std::size_t outstanding = 0;  // requests
  std::deque<StressWrite> writes;
  std::vector<std::unique_ptr<Channel>> channels;

  template <typename A, typename... Arguments>
  A& add(Arguments&&... arguments) {
    auto actor = std::make_unique<A>(*this, std::forward<Arguments>(arguments)...);
    A& added = *actor;
    added.index_ = live_.size();
    added.handle().data = static_cast<Actor*>(actor.get());
    live_.push_back(std::move(actor));
    return added;
  }
  // Something that lives as long as the world.
  template <typename T>
  T& keep() {
    auto kept = std::make_shared<T>();
    kept_.push_back(kept);
    return *kept;
  }
  bool has_room() const { return live_.size() < kLiveMax; }
  std::size_t live() const { return live_.size(); }
  bool is_ending() const { return budget_ == 0; }
  Channel& channel(std::size_t start) {
    return *channels.emplace_back(std::make_unique<Channel>(Channel{.start = start % kNoiseBytes}));
  }
  Bytes noise(std::size_t at, std::size_t size) const {
    at %= kNoiseBytes;
    return Bytes(noise_.data() + at, std::min(size, kNoiseBytes - at));
  }
  void expect_noise(Channel& channel, Bytes bytes) {
    while (!bytes.empty()) {
      const Bytes expected = noise(channel.start + channel.read, bytes.size());
      ASSERT_TRUE(std::ranges::equal(expected, bytes.first(expected.size())))
          << "bytes out of order at " << channel.read;
      channel.read += expected.size();
      bytes = bytes.subspan(expected.size());
    }
  }

  // What every callback does: a few random things, here and elsewhere; at the end of the budget, only
  // closing.
  void act() {
    for (std::size_t times = random.below(3); times > 0 && budget_ > 0; --times) {
      --budget_;
      if (live_.empty() || (has_room() && random.one_in(5)))
        open_something();
      else if (random.one_in(8))
        end_one(*live_[random.below(live_.size())]);
      else
        act_one(*live_[random.below(live_.size())]);
    }
    if (budget_ == 0) end_all();
  }
  void end_all() {
    for (std::size_t i = 0; i < live_.size(); ++i) end_one(*live_[i]);
  }

  std::function<void()> open_something;

 private:
  friend class Actor;

  void act_one(Actor& actor) {
    if (!actor.handle().is_closing()) actor.act();
  }
  void end_one(Actor& actor) {
    if (!actor.handle().is_closing()) actor.end();
  }
  void bury(Actor& actor) {
    const std::size_t index = actor.index_;
    std::unique_ptr<Actor> body = std::move(live_[index]);
    if (index + 1 < live_.size()) {
      live_[index] = std::move(live_.back());
      live_[index]->index_ = index;
    }
    live_.pop_back();
    if (!dies_at_once_) graves_.push_back(std::move(body));
  }

  std::unique_ptr<Loop> loop_ = make_loop({.pool_size = 2});
  std::size_t budget_;
  const bool dies_at_once_;
  std::vector<std::unique_ptr<Actor>> live_;
  std::vector<std::unique_ptr<Actor>> graves_;
  std::vector<std::shared_ptr<void>> kept_;
  std::vector<std::byte> noise_ = std::vector<std::byte>(kNoiseBytes);
};

inline void Actor::called_back() {
  EXPECT_FALSE(gone_) << "a callback after the close callback";
  EXPECT_FALSE(handle().is_closing()) << "a callback after close()";
  world_.act();
}

inline void Actor::closed(Handle& closed_handle) {
  Actor& self = *static_cast<Actor*>(closed_handle.data);
  EXPECT_FALSE(self.gone_) << "closed twice";
  self.gone_ = true;
  World& world = self.world_;
  world.bury(self);
  world.act();
}

}  // namespace refloop::stress
