// What is accepted says the same when it is put together and taken apart again, and holds nothing that would
// end a line of a request.
#include "reference-loop/http_parser/fuzz_entry.h"
#include "reference-loop/http_parser/url.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto url = http_parser::Url::parse({reinterpret_cast<const char*>(data), size});
  if (!url) return 0;
  for (char c : url->host_field + url->target) {
    if (c <= ' ' || c > '~') std::abort();
  }
  if (url->target.front() != '/' || url->host.empty() || url->port == 0) std::abort();
  const auto again =
      http_parser::Url::parse((url->is_https ? "https://" : "http://") + url->host_field + url->target);
  if (!again || again->host != url->host || again->port != url->port || again->target != url->target)
    std::abort();
  return 0;
}

const char* const kFuzzSeeds[] = {"http://example.org/a?b#c", "https://[::1]:8443/", "http://127.0.0.1:80?x",
                                  nullptr};
const unsigned kFuzzRounds = 20000;
