// Idle, Prepare and Check: one callback per iteration each, in their phase, while started.
//
// Within a phase they run in the order of starting. (libuv runs the newest first; it documents neither.)
// One started by a callback of its own phase first runs in the next iteration; one stopped by an
// earlier callback of the phase does not run. An active Idle keeps poll from waiting.
#pragma once

#include "reference-loop/handle.h"
#include "reference-loop/loop.h"

namespace refloop {

class Watcher : public Handle, private ListHook<> {
 public:
  using Callback = void (*)(Watcher&);

  ~Watcher() override { stop(); }

  // No effect on an active watcher, not even on its callback. Error::bad_state once closing.
  Result<void> start(Callback callback);
  void stop();

 protected:
  Watcher(Loop& loop, Kind kind) : Handle(loop, kind), position_(kind) {}

 private:
  friend class Loop;
  friend class IntrusiveList<Watcher>;

  void begin_close() override { stop(); }
  IntrusiveList<Watcher>& list() const;

  Callback callback_ = nullptr;
  Kind position_;  // which phase it is in, also when kind_ was silenced
};

class Idle : public Watcher {
 public:
  explicit Idle(Loop& loop) : Watcher(loop, Kind::idle) {}
};

class Prepare : public Watcher {
 public:
  explicit Prepare(Loop& loop) : Watcher(loop, Kind::prepare) {}
};

class Check : public Watcher {
 public:
  explicit Check(Loop& loop) : Watcher(loop, Kind::check) {}
};

}  // namespace refloop
