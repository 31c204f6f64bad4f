// sockets, service half: a byte-stream echo. The received buffer is replied without a copy.

#include "harness/vocabulary/service.h"

#include "workloads/parameters.h"

namespace tickmark {
namespace {

class Echo final : public StreamService {
 public:
  void on_bytes(Connection& connection, std::string_view bytes) const override { connection.send(bytes); }
};

}  // namespace

Expected<Service> make_service_sockets(const Parameters& params) {
  // An echo serves any size; the name is known because it is the workload's.
  if (auto ok = workloads::check_names("sockets", params, {"size"}); !ok) return std::unexpected(ok.error());
  Service service;
  service.stream = std::make_unique<Echo>();
  return service;
}

}  // namespace tickmark
