// thread_per_connection: the architecture every loop is compared with. The main thread accepts; each
// connection gets a kernel thread with a small stack, which blocks in recv and send and does all work in
// place.

#include <cerrno>
#include <condition_variable>
#include <mutex>
#include <openssl/crypto.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unordered_set>

#include "baselines/thread_per_connection/connection_thread.h"
#include "harness/subject/listen.h"
#include "harness/subject/subject_main.h"

namespace tickmark {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr size_t kStackFactor = 8;  // instrumented frames are that much larger
#else
constexpr size_t kStackFactor = 1;
#endif

class Threads {
 public:
  Threads(subject::ServeContext& context, size_t stack_bytes) : context_(context) {
    pthread_attr_init(&attributes_);
    pthread_attr_setdetachstate(&attributes_, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes_, stack_bytes * kStackFactor);
  }
  ~Threads() { pthread_attr_destroy(&attributes_); }
  Threads(const Threads&) = delete;
  Threads& operator=(const Threads&) = delete;

  /// A thread of its own for `fd`; closes it where the system refuses one more thread.
  void start(UniqueFd fd) {
    auto start = std::make_unique<Start>(Start{this, ConnectionThread(std::move(fd))});
    {
      const std::lock_guard lock(mutex_);
      open_.insert(start->connection.fd());
    }
    pthread_t thread;
    if (pthread_create(&thread, &attributes_, enter, start.get()) == 0) {
      (void)start.release();  // the thread's
    } else {
      forget(start->connection.fd());
      ++refused_;
    }
  }

  uint64_t refused() const { return refused_; }

  /// Wakes every thread out of its blocking call and waits until all are gone.
  void stop_all() {
    std::unique_lock lock(mutex_);
    for (const int fd : open_) ::shutdown(fd, SHUT_RDWR);
    all_gone_.wait(lock, [this] { return open_.empty(); });
  }

 private:
  struct Start {
    Threads* threads;
    ConnectionThread connection;
  };

  static void* enter(void* argument) {
    const std::unique_ptr<Start> start(static_cast<Start*>(argument));
    start->connection.run(start->threads->context_.open(start->connection));
    OPENSSL_thread_stop();  // what it keeps per thread must be gone before main is told that this one is
    // Before the descriptor is closed: its number may be another connection's right after.
    start->threads->forget(start->connection.fd());
    return nullptr;
  }

  void forget(int fd) {
    const std::lock_guard lock(mutex_);
    open_.erase(fd);
    if (open_.empty()) all_gone_.notify_all();
  }

  subject::ServeContext& context_;
  pthread_attr_t attributes_;
  std::mutex mutex_;
  std::condition_variable all_gone_;
  std::unordered_set<int> open_;
  uint64_t refused_ = 0;
};

// Accepts until `stop` becomes readable.
void accept_all(int listener, int stop, Threads& threads) {
  int patience_ms = -1;
  while (true) {
    pollfd watched[] = {{stop, POLLIN, 0}, {patience_ms < 0 ? listener : -1, POLLIN, 0}};
    ::poll(watched, 2, patience_ms);
    if (watched[0].revents) return;
    patience_ms = -1;
    UniqueFd fd(::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC));
    if (fd) {
      threads.start(std::move(fd));
    } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
      patience_ms = 10;  // the queue keeps them until some connection ends
    }
  }
}

Expected<subject::Final> serve(subject::ServeContext& context) {
  const auto stack_kib = context.option_number("stack_kib", 64, 65536);
  if (!stack_kib) return std::unexpected(stack_kib.error());
  const auto& request = context.request();
  const auto listener = subject::listen_on({.address = request.address, .port = request.port});
  if (!listener) return std::unexpected(listener.error());
  const UniqueFd stop(::eventfd(0, EFD_CLOEXEC));
  Threads threads(context, static_cast<size_t>(*stack_kib) * 1024);
  context.on_stop([fd = stop.get()] { ::eventfd_write(fd, 1); });
  context.ready(listener->port);
  accept_all(listener->fd.get(), stop.get(), threads);
  threads.stop_all();
  context.end_watch();
  auto final = context.final();
  final.counters["refused"] = threads.refused();
  return final;
}

}  // namespace
}  // namespace tickmark

int main(int argc, char** argv) {
  tickmark::SubjectDescription description;
  description.name = "thread_per_connection";
  description.workloads = {"cpu", "crypto", "fs", "hello", "sockets"};
  description.options = {{"headers", "lean"}, {"stack_kib", "64"}};
  return tickmark::subject::subject_main(argc, argv, {.description = description, .serve = tickmark::serve});
}
