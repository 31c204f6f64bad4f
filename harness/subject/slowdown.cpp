#include "harness/subject/slowdown.h"

#include <charconv>
#include <fmt/format.h>
#include <time.h>

#include "harness/base/time.h"

namespace tickmark::subject {
namespace {

/// Reading the clock costs as much as a few per cent of a request; every so many it costs next to nothing.
constexpr int kRequestsPerReading = 32;

Nanos thread_cpu_time() {
  timespec t{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return Nanos{int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec};
}

/// One thread's debt: share x its own work, which is what its clock shows and was not spun away.
class Debt {
 public:
  void request(double share) {
    if (++requests_ < kRequestsPerReading) return;
    requests_ = 0;
    const Nanos used = thread_cpu_time();
    if (origin_ == Nanos{0}) origin_ = used;
    const Nanos own = used - origin_ - spun_;
    const Nanos until = used + Nanos{static_cast<int64_t>(share * static_cast<double>(own.count()))} - spun_;
    Nanos at = used;
    while (at < until) at = thread_cpu_time();
    spun_ += at - used;
  }

 private:
  int requests_ = 0;
  Nanos origin_{0};  ///< the clock at the first reading; never 0, for a thread that got here
  Nanos spun_{0};
};

/// Two instructions a turn, whatever the machine: what a counter sees of it is known beforehand.
void execute(uint64_t instructions) {
  for (uint64_t turns = instructions / 2; turns != 0; --turns) asm volatile("");
}

void pay(const Slowdown& slowdown) {
  execute(slowdown.instructions);
  if (slowdown.share == 0) return;
  thread_local Debt debt;
  debt.request(slowdown.share);
}

class SlowStream final : public StreamService {
 public:
  SlowStream(std::unique_ptr<StreamService> inner, const Slowdown& slowdown)
      : inner_(std::move(inner)), slowdown_(slowdown) {}
  void on_bytes(Connection& connection, std::string_view bytes) const override {
    inner_->on_bytes(connection, bytes);
    pay(slowdown_);
  }
  void on_end(Connection& connection) const override { inner_->on_end(connection); }

 private:
  std::unique_ptr<StreamService> inner_;
  Slowdown slowdown_;
};

class SlowHttp final : public HttpService {
 public:
  SlowHttp(std::unique_ptr<HttpService> inner, const Slowdown& slowdown)
      : inner_(std::move(inner)), slowdown_(slowdown) {}
  void on_request(const HttpRequest& request, Exchange& exchange) const override {
    inner_->on_request(request, exchange);
    pay(slowdown_);
  }

 private:
  std::unique_ptr<HttpService> inner_;
  Slowdown slowdown_;
};

/// The whole of `text` as a number; nothing else.
template <typename Number>
bool is_number(std::string_view text, Number& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

Expected<Slowdown> parse_slowdown(std::string_view text) {
  Slowdown slowdown;
  const std::string_view number =
      text.ends_with('%') || text.ends_with('i') ? text.substr(0, text.size() - 1) : text;
  if (text.ends_with('i')) {
    if (is_number(number, slowdown.instructions) && slowdown.instructions <= kInstructionsMax)
      return slowdown;
  } else if (double percent = -1; is_number(number, percent) && percent >= 0 && percent <= 100) {
    slowdown.share = percent / 100;
    return slowdown;
  }
  return usage_error(fmt::format(
      "option slowdown={}: expected a percentage from 0 to 100, as 5%, or instructions per request, as 300i",
      text));
}

Service slowed_down(Service service, const Slowdown& slowdown) {
  if (slowdown.share == 0 && slowdown.instructions == 0) return service;
  if (service.stream) service.stream = std::make_unique<SlowStream>(std::move(service.stream), slowdown);
  if (service.http) service.http = std::make_unique<SlowHttp>(std::move(service.http), slowdown);
  return service;
}

}  // namespace tickmark::subject
