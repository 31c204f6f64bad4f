#include "reference-loop/signal.h"

#include "reference-loop/signal_hub.h"

namespace refloop {

Result<void> Signal::start(int number, Callback callback) { return start(number, callback, false); }

Result<void> Signal::start_once(int number, Callback callback) { return start(number, callback, true); }

Result<void> Signal::start(int number, Callback callback, bool once) {
  if (is_closing() || is_active() || !callback) return failure(Error::bad_state);
  if (!loop_.signals_) {
    auto hub = SignalHub::create(loop_);
    if (!hub) return failure(hub.error());
    loop_.signals_ = std::move(*hub);
  }
  number_ = number;
  if (auto added = loop_.signals_->add(*this); !added) return added;
  callback_ = callback;
  once_ = once;
  activate();
  loop_.trace_schedule(kind_, tag_);
  return {};
}

void Signal::stop() {
  if (!is_active()) return;
  loop_.signals_->remove(*this);
  deactivate();
}

void Signal::raised() {
  if (once_ && !is_mutant(Mutant::one_shot_signal_stays)) stop();
  loop_.invoke(kind_, tag_, [&] { callback_(*this, number_); });
}

}  // namespace refloop
