#include "reference-loop/poll.h"

namespace refloop {

Result<void> Poll::start(std::uint32_t events, Callback callback) {
  if (is_closing() || !callback || events == 0) return failure(Error::bad_state);
  watch_.on_ready = [](FdWatch& watch, std::uint32_t ready) {
    Poll& poll = *static_cast<Watch&>(watch).poll;
    ready &= watch.interest | EPOLLERR | EPOLLHUP;  // a callback of this batch may have changed it
    if (ready == 0) return;
    poll.loop_.invoke(poll.kind_, poll.tag_, [&] { poll.callback_(poll, ready); });
  };
  if (auto watched = loop_.backend_->watch(watch_, fd_, events); !watched) return watched;
  callback_ = callback;
  activate();
  loop_.trace_schedule(kind_, tag_);
  return {};
}

void Poll::stop() {
  loop_.backend_->unwatch(watch_);
  deactivate();
}

}  // namespace refloop
