// hello, client half.

#include "workloads/parameters.h"
#include "workloads/table_client.h"

namespace tickmark {

Expected<Client> make_client_hello(const ClientSetup& setup) {
  if (auto ok = workloads::check_names("hello", setup.params, {}); !ok) return std::unexpected(ok.error());
  if (auto ok = workloads::pick_variant("hello", setup.variant, {}); !ok) return std::unexpected(ok.error());
  Client client;
  client.http = std::make_unique<workloads::TableClient>(
      setup.seed, std::vector<workloads::TableClient::Kind>{
                      {1, {{workloads::http_head("GET", "/hello", setup.host), "hello\n"}}}});
  return client;
}

}  // namespace tickmark
