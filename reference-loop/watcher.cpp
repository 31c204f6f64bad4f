#include "reference-loop/watcher.h"

#include <vector>

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
  if (is_mutant(Mutant::watchers_newest_first))
    list().push_front(*this);
  else
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
  if (is_mutant(Mutant::watchers_without_snapshot)) {
    IntrusiveList<Watcher> done;
    while (!watchers.empty()) {
      Watcher& watcher = watchers.pop_front();
      done.push_back(watcher);
      invoke(watcher.kind_, watcher.tag_, [&] { watcher.callback_(watcher); });
    }
    return watchers.splice_back(done);
  }
  if (is_mutant(Mutant::stopped_sibling_watcher_runs)) {
    std::vector<Watcher*> all;
    for (Watcher& watcher : watchers) all.push_back(&watcher);
    for (Watcher* watcher : all) invoke(watcher->kind_, watcher->tag_, [&] { watcher->callback_(*watcher); });
    return;
  }
  IntrusiveList<Watcher> snapshot;
  snapshot.splice_back(watchers);
  while (!snapshot.empty()) {
    Watcher& watcher = snapshot.pop_front();
    watchers.push_back(watcher);
    invoke(watcher.kind_, watcher.tag_, [&] { watcher.callback_(watcher); });
    if (is_mutant(Mutant::stop_ends_the_phase) && stop_requested_) watchers.splice_back(snapshot);
  }
}

}  // namespace refloop
