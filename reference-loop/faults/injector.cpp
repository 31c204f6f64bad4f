#include "reference-loop/faults/injector.h"

#include <array>
#include <cassert>
#include <mutex>
#include <new>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/stat.h>

namespace refloop::faults {
// One that a process may be killed with: the next to lock it goes on.
class SharedMutex {
 public:
  SharedMutex() {
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(&mutex_, &attributes);
    pthread_mutexattr_destroy(&attributes);
  }
  void lock() {
    if (pthread_mutex_lock(&mutex_) == EOWNERDEAD) pthread_mutex_consistent(&mutex_);
  }
  void unlock() { pthread_mutex_unlock(&mutex_); }

 private:
  pthread_mutex_t mutex_;
};

// Names are of static storage, at the same address in every forked process.
struct Injector::State {
  struct Count {
    std::string_view call;
    Target target = Target::anything;
    unsigned count = 0;
  };

  SharedMutex mutex;
  bool armed = false;
  Strike strike;
  unsigned matched = 0;
  unsigned hits = 0;
  unsigned total = 0;
  std::array<Count, 512> counts;  // filled from the front
  std::size_t kinds = 0;

  void count(std::string_view call, Target target) {
    ++total;
    for (std::size_t i = 0; i < kinds; ++i) {
      if (counts[i].target == target && counts[i].call == call) {
        ++counts[i].count;
        return;
      }
    }
    assert(kinds < counts.size() && "more kinds of calls than sys.h has, times what they may refer to");
    counts[kinds++] = {call, target, 1};
  }
};

namespace {

// Never given back: forked processes have it, too.
void* shared_memory(std::size_t size) {
  void* const memory = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  assert(memory != MAP_FAILED);
  return memory;
}

}  // namespace

Injector::Injector() : state_(*new (shared_memory(sizeof(State))) State) {}

Injector& Injector::instance() {
  static Injector injector;
  return injector;
}

void Injector::arm(const Strike& strike) {
  const std::lock_guard lock(state_.mutex);
  state_.armed = true;
  state_.strike = strike;
  state_.matched = state_.hits = state_.total = 0;
  state_.kinds = 0;
}

void Injector::disarm() {
  const std::lock_guard lock(state_.mutex);
  state_.armed = false;
}

unsigned Injector::calls(std::string_view call, Target target) const {
  const std::lock_guard lock(state_.mutex);
  unsigned sum = 0;
  for (std::size_t i = 0; i < state_.kinds; ++i) {
    const State::Count& entry = state_.counts[i];
    if (entry.call == call && (target == Target::anything || entry.target == target)) sum += entry.count;
  }
  return sum;
}

unsigned Injector::total_calls() const {
  const std::lock_guard lock(state_.mutex);
  return state_.total;
}

unsigned Injector::hits() const {
  const std::lock_guard lock(state_.mutex);
  return state_.hits;
}

bool Injector::strikes(std::string_view call, int first_argument, Strike& strike) {
  const std::lock_guard lock(state_.mutex);
  if (!state_.armed) return false;
  const int error_before = errno;
  const Target target = target_of(first_argument);
  errno = error_before;
  state_.count(call, target);
  const Strike& wanted = state_.strike;
  if (call != wanted.call || (wanted.target != Target::anything && wanted.target != target)) return false;
  const unsigned number = ++state_.matched;
  if (number < wanted.first || number >= wanted.first + wanted.times) return false;
  ++state_.hits;
  strike = wanted;
  return true;
}

Target Injector::target_of(int descriptor) {
  struct ::stat status;
  if (descriptor < 0 || ::fstat(descriptor, &status) != 0) return Target::anything;
  switch (status.st_mode & S_IFMT) {
    case S_IFREG:
    case S_IFDIR:
      return Target::file;
    case S_IFSOCK:
    case S_IFIFO:
    case S_IFCHR:
      return Target::stream;
    default:
      return Target::kernel_object;  // eventfd, signalfd, epoll
  }
}

}  // namespace refloop::faults
