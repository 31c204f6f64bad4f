#include "reference-loop/watcher.h"

namespace refloop {

IntrusiveList<Watcher>& Watcher::list() const {
  switch (position_) {
    case Kind::idle:
      return loop_.idle_;
    case Kind::prepare:
      return loop_.prepare_;
    default:
      return loop_.check_;
  }
}

Result<void> Watcher::start(Callback callback) {
  if (is_closing() || !callback) return failure(Error::bad_state);
  if (is_active()) return {};
  callback_ = callback;
  list().push_back(*this);
  activate();
  if (kind_ != Kind::none) loop_.trace_schedule(kind_, tag_);
  return {};
}

void Watcher::stop() {
  refloop::ListHook<>::unlink();
  deactivate();
}

void Loop::run_watchers(Phase phase, IntrusiveList<Watcher>& watchers) {
  enter(phase);
  IntrusiveList<Watcher> snapshot;
  snapshot.splice_back(watchers);
  while (!snapshot.empty()) {
    Watcher& watcher = snapshot.pop_front();
    watchers.push_back(watcher);
    invoke(watcher.kind_, watcher.tag_, [&] { watcher.callback_(watcher); });
  }
}

}  // namespace refloop
