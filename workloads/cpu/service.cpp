// cpu, service half: number crunching, inside the callback or offloaded, as the request says.

#include "harness/vocabulary/service.h"

#include "workloads/parameters.h"
#include "workloads/query.h"

namespace tickmark {
namespace {

// What one request may cost at most (about 10 s); beyond is a malformed parameter.
constexpr uint64_t kPrimesBelowMax = 10'000'000, kMatmulMax = 1024;

void reply_text(Exchange& exchange, WorkOutcome outcome) {
  if (outcome.error) return exchange.reply(500, "the operation failed\n");
  exchange.reply(200, outcome.text);
}

class Cpu final : public HttpService {
 public:
  void on_request(const HttpRequest& request, Exchange& exchange) const override {
    const bool primes = request.path == "/cpu/primes", matmul = request.path == "/cpu/matmul";
    if (request.method != "GET" || (!primes && !matmul)) return exchange.reply(404, "not found\n");
    const auto n = primes ? workloads::query_number(request.query, "below", 0, kPrimesBelowMax)
                          : workloads::query_number(request.query, "n", 1, kMatmulMax);
    const auto mode = workloads::query_value(request.query, "mode");
    if (!n || (mode != "inline" && mode != "offload")) {
      return exchange.reply(400, "expected below or n, and mode=inline or mode=offload\n");
    }
    const Crunch work{primes ? Crunch::Function::kPrimes : Crunch::Function::kMatmul, *n};
    if (mode == "inline") return exchange.inline_work(work, reply_text);
    exchange.offload(work, reply_text);
  }
};

}  // namespace

Expected<Service> make_service_cpu(const Parameters& params) {
  if (auto ok = workloads::check_names("cpu", params, {"primes_below", "matmul_n"}); !ok) {
    return std::unexpected(ok.error());
  }
  Service service;
  service.http = std::make_unique<Cpu>();
  return service;
}

}  // namespace tickmark
