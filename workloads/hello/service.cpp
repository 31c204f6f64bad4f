// hello, service half.

#include "harness/vocabulary/service.h"

#include "workloads/parameters.h"

namespace tickmark {
namespace {

class Hello final : public HttpService {
 public:
  void on_request(const HttpRequest& request, Exchange& exchange) const override {
    if (request.method == "GET" && request.path == "/hello") return exchange.reply(200, "hello\n");
    exchange.reply(404, "not found\n");
  }
};

}  // namespace

Expected<Service> make_service_hello(const Parameters& params) {
  if (auto ok = workloads::check_names("hello", params, {}); !ok) return std::unexpected(ok.error());
  Service service;
  service.http = std::make_unique<Hello>();
  return service;
}

}  // namespace tickmark
