#include "reference-loop/faults/injector.h"

#include <sys/stat.h>

namespace refloop::faults {

Injector& Injector::instance() {
  static Injector injector;
  return injector;
}

void Injector::arm(const Strike& strike) {
  const std::lock_guard lock(mutex_);
  armed_ = true;
  strike_ = strike;
  matched_ = hits_ = total_ = 0;
  counts_.clear();
}

void Injector::disarm() {
  const std::lock_guard lock(mutex_);
  armed_ = false;
}

unsigned Injector::calls(std::string_view call, Target target) const {
  const std::lock_guard lock(mutex_);
  unsigned sum = 0;
  for (const auto& [key, count] : counts_) {
    if (key.first == call && (target == Target::anything || key.second == target)) sum += count;
  }
  return sum;
}

unsigned Injector::total_calls() const {
  const std::lock_guard lock(mutex_);
  return total_;
}

unsigned Injector::hits() const {
  const std::lock_guard lock(mutex_);
  return hits_;
}

bool Injector::strikes(std::string_view call, int first_argument, Strike& strike) {
  const std::lock_guard lock(mutex_);
  if (!armed_) return false;
  const int error_before = errno;
  const Target target = target_of(first_argument);
  errno = error_before;
  ++total_;
  ++counts_[{std::string(call), target}];
  if (call != strike_.call || (strike_.target != Target::anything && strike_.target != target)) return false;
  ++matched_;
  if (matched_ < strike_.first || matched_ >= strike_.first + strike_.times) return false;
  ++hits_;
  strike = strike_;
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
