#include "reference-loop/handle.h"

#include "reference-loop/loop.h"

namespace refloop {

Handle::~Handle() { assert(!active_ && closing_ == closed_ && "destroyed while the loop still uses it"); }

void Handle::activate() {
  if (active_) return;
  active_ = true;
  if (referenced_) ++loop_.active_handles_;
}

void Handle::deactivate() {
  if (!active_) return;
  active_ = false;
  if (referenced_) --loop_.active_handles_;
}

void Handle::ref() {
  if (is_mutant(Mutant::references_add_up) && referenced_ && active_) ++loop_.active_handles_;
  if (referenced_) return;
  referenced_ = true;
  if (active_) ++loop_.active_handles_;
}

void Handle::unref() {
  if (!referenced_) return;
  if (is_mutant(Mutant::unreferenced_timer_keeps_alive) && kind_ == Kind::timer) return;
  referenced_ = false;
  if (active_) --loop_.active_handles_;
}

void Handle::close(CloseCallback callback) {
  assert(!closing_ && "closed twice");
  closing_ = true;
  on_close_ = callback;
  begin_close();
  deactivate();
  loop_.close_handle(*this);
}

}  // namespace refloop
