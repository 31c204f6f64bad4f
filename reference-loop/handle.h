// What every handle has: a loop, liveness, a close callback, a name in the trace.
//
// A handle's memory belongs to the caller, who embeds it or derives from it; the loop only links it.
// Everything here must be called on the loop thread. A handle that owns a descriptor or a child (streams,
// Listener, Udp, Poll, Signal, Process) or is known to other threads (Async) must be closed before it is
// destroyed, and may be destroyed in its close callback at the earliest; Timer, Idle, Prepare and Check
// may also just be destroyed.
#pragma once

#include "reference-loop/intrusive_list.h"
#include "reference-loop/trace.h"

namespace refloop {

class Loop;
struct ClosingTag {};

class Handle : private ListHook<ClosingTag> {
 public:
  using CloseCallback = void (*)(Handle&);

  Loop& loop() const { return loop_; }
  // Would deliver callbacks: a started timer, a reading stream. Independent of ref().
  bool is_active() const { return active_; }
  // close() was called, whether or not its callback already ran.
  bool is_closing() const { return closing_; }

  // An active handle keeps the loop alive unless it was unref()ed. Idempotent.
  void ref();
  void unref();
  bool has_ref() const { return referenced_; }

  // Stops the handle: none of its callbacks runs any more, except those of its outstanding requests,
  // which end with Error::canceled (or with their true result, if they had completed) before `callback`.
  // `callback` runs in the closing phase of the same iteration, if that is still to come.
  void close(CloseCallback callback = nullptr);

  void set_label(Label label) { tag_.label = label; }
  Label label() const { return tag_.label; }

  // For layers: from here a part of the machinery, neither traced nor followed by a drain.
  void make_internal() { kind_ = Kind::none; }

  void* data = nullptr;  // the caller's; the loop never reads it

 protected:
  Handle(Loop& loop, Kind kind) : loop_(loop), kind_(kind) {}
  virtual ~Handle();

  void activate();
  void deactivate();
  bool is_closed() const { return closed_; }

  // At close(): stop, release the descriptor. No callback may run from here.
  virtual void begin_close() = 0;
  // In the closing phase, before the close callback: deliver what ended the outstanding requests.
  virtual void finish_close() {}

  Loop& loop_;
  TraceTag tag_;
  Kind kind_;  // Kind::none: a part of the machinery, neither traced nor followed by a drain

 private:
  friend class Loop;
  friend class IntrusiveList<Handle, ClosingTag>;

  // Ends the cache line that a message touches; what follows, only closing touches.
  bool active_ = false;
  bool referenced_ = true;
  bool closing_ = false;
  bool closed_ = false;
  CloseCallback on_close_ = nullptr;
  TraceTag close_tag_;
};

}  // namespace refloop
