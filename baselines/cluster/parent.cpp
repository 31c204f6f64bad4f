#include "baselines/cluster/parent.h"

#include <fmt/format.h>
#include <sstream>

#include "baselines/cluster/worker.h"
#include "baselines/reference_loop/server.h"

namespace tickmark {

Parent::Parent(subject::ServeContext& context, refloop::Loop& loop, refloop::ClusterOptions options)
    : context_(context),
      loop_(loop),
      options_(options),
      cluster_(loop, options_,
               [&context](refloop::ClusterWorker& worker) { return run_worker(context, worker); }),
      stop_(loop, [](refloop::Async& async) { static_cast<Parent*>(async.data)->cluster_.stop(); }) {
  stop_.data = this;
}

Expected<subject::Final> Parent::serve() {
  cluster_.events.listening = [this](size_t) {
    if (!ready_ && cluster_.listening_workers() == options_.workers) all_listen();
  };
  cluster_.events.message = [this](size_t, std::string_view text) { heard(text); };
  cluster_.events.failed = [this](const std::string& sentence) {
    error_ = ready_ ? subject_error(sentence).error()
                    : environment_error(reason_.empty() ? sentence : reason_).error();
  };
  cluster_.events.stopped = [this] {
    context_.end_watch();  // nobody sends to it from here
    stop_.close();
  };
  if (const auto started = cluster_.start(); !started) {
    error_ = environment_error(fmt::format("cannot start {} workers on port {}: {}", options_.workers,
                                           options_.address.port(), refloop::message_of(started.error())))
                 .error();
    cluster_.stop();
  }
  loop_.run();
  if (error_) return std::unexpected(*error_);
  return sum_;
}

void Parent::all_listen() {
  ready_ = true;
  context_.on_stop([this] { stop_.send(); });
  context_.ready(cluster_.address().port(), static_cast<int>(options_.workers),
                 chosen_backend(context_, options_.worker_loop));
}

// Counters, from a worker that has served.
void Parent::heard(std::string_view text) {
  if (!ready_) {
    reason_ = text;
    return;
  }
  std::istringstream lines{std::string(text)};
  std::string name;
  uint64_t value = 0;
  while (lines >> name >> value) sum_.counters[name] += value;
}

}  // namespace tickmark
