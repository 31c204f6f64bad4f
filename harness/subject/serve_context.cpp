#include "harness/subject/serve_context.h"

#include <algorithm>
#include <cassert>
#include <charconv>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "harness/subject/do_work.h"
#include "harness/subject/http_session.h"
#include "harness/subject/slowdown.h"
#include "harness/vocabulary/workload.h"

namespace tickmark::subject {
namespace {

// The session of a byte-stream workload: it only counts and passes on.
class StreamSession final : public Session {
 public:
  StreamSession(const StreamService& service, Connection& connection, std::atomic<uint64_t>& total)
      : service_(service), connection_(connection), total_(total) {}
  ~StreamSession() override { total_.fetch_add(bytes_, std::memory_order_relaxed); }
  void on_bytes(std::string_view bytes) override {
    bytes_ += bytes.size();
    service_.on_bytes(connection_, bytes);
  }
  void on_end() override { service_.on_end(connection_); }

 private:
  const StreamService& service_;
  Connection& connection_;
  std::atomic<uint64_t>& total_;
  uint64_t bytes_ = 0;
};

// One line, one write: nothing can come between.
void print_line(const nlohmann::json& json) {
  const std::string line = json.dump() + "\n";
  [[maybe_unused]] const ssize_t put = ::write(STDOUT_FILENO, line.data(), line.size());
}

}  // namespace

Expected<std::unique_ptr<ServeContext>> ServeContext::create(const ServeRequest& request) {
  const auto& entries = service_entries();
  const auto entry = std::ranges::find(entries, request.workload, &ServiceEntry::id);
  if (entry == entries.end()) {
    return usage_error(
        fmt::format("workload '{}' has no C++ service half; see workloads/", request.workload));
  }
  auto service = entry->make(request.params);
  if (!service) return std::unexpected(service.error());
  if (service->http) prepare_work();
  auto context = std::unique_ptr<ServeContext>(new ServeContext);
  context->request_ = request;
  context->service_ = std::move(*service);
  if (request.options.contains("slowdown")) {
    const auto slowdown = parse_slowdown(context->option("slowdown"));
    if (!slowdown) return std::unexpected(slowdown.error());
    context->service_ = slowed_down(std::move(context->service_), *slowdown);
  }
  if (request.options.contains("headers")) {
    const auto headers = context->option_word("headers", {"lean", "common"});
    if (!headers) return std::unexpected(headers.error());
    if (*headers == "common") context->headers_ = ReplyHeaders::kCommon;
  }
  return context;
}

const std::string& ServeContext::option(std::string_view key) const {
  const auto found = request_.options.find(std::string(key));
  assert(found != request_.options.end() && "an option that the description does not name");
  return found->second;
}

Expected<int> ServeContext::option_number(std::string_view key, int least, int most) const {
  const std::string& text = option(key);
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < least || value > most) {
    return usage_error(
        fmt::format("option {}={}: expected a whole number from {} to {}", key, text, least, most));
  }
  return value;
}

Expected<std::string> ServeContext::option_word(std::string_view key,
                                                std::initializer_list<std::string_view> words) const {
  const std::string& text = option(key);
  if (std::ranges::find(words, text) == words.end()) {
    return usage_error(fmt::format("option {}={}: expected one of {}", key, text, fmt::join(words, ", ")));
  }
  return text;
}

std::unique_ptr<Session> ServeContext::open(Connection& connection) {
  connections_.fetch_add(1, std::memory_order_relaxed);
  if (service_.http) return std::make_unique<HttpSession>(*service_.http, connection, &requests_, headers_);
  return std::make_unique<StreamSession>(*service_.stream, connection, bytes_);
}

void ServeContext::ready(uint16_t port, int workers, const Parameters& chosen) {
  nlohmann::json fields = {{"address", request_.address},
                           {"port", port},
                           {"pid", ::getpid()},
                           {"workers", workers},
                           {"workload", request_.workload}};
  if (!chosen.empty()) fields["chosen"] = chosen;
  print_line({{"ready", fields}});
}

void ServeContext::on_stop(std::function<void()> stop) {
  assert(!watcher_ && "on_stop() is called once");
  watcher_ = std::make_unique<StopWatcher>(STDIN_FILENO, true, std::move(stop), [this] {
    print_final({});
    ::_exit(0);
  });
}

Final ServeContext::final() const {
  Final final;
  final.counters["connections"] = connections_.load(std::memory_order_relaxed);
  if (service_.http) final.counters["requests"] = requests_.load(std::memory_order_relaxed);
  if (service_.stream) final.counters["bytes"] = bytes_.load(std::memory_order_relaxed);
  return final;
}

void ServeContext::print_final(const Final& final) {
  if (final_printed_.exchange(true)) return;
  print_line({{"final", final.counters}});
}

}  // namespace tickmark::subject
