// An HTTPS request: https_request URL [FILE]. Prints status and body. FILE holds the certificates to trust;
// without it those of the system are trusted.
#include <cstdio>
#include <optional>

#include "reference-loop/http/http_fetch.h"
#include "reference-loop/loop.h"

namespace {

int fail(const std::string& reason) {
  std::fprintf(stderr, "https_request: %s\n", reason.c_str());
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return fail("expected a URL");
  const auto loop = refloop::Loop::create();
  if (!loop) return fail("no loop");

  std::optional<refloop::TlsContext> trusting;
  if (argc > 2) {
    auto pem = refloop::read_pem_file(argv[2]);
    if (!pem) return fail(pem.error().reason);
    auto context = refloop::TlsContext::client({.trusted_pem = *pem, .alpn = {"http/1.1"}});
    if (!context) return fail(context.error().reason);
    trusting = std::move(*context);
  }

  refloop::HttpFetch fetch(**loop);
  refloop::Error outcome = refloop::Error::none;
  fetch.data = &outcome;
  const auto started = fetch.start(argv[1], {.tls = trusting ? &*trusting : nullptr},
                                   [](refloop::HttpFetch& done, refloop::Error error) {
                                     *static_cast<refloop::Error*>(done.data) = error;
                                   });
  if (!started) return fail(fetch.failure_reason());
  (*loop)->run();
  if (outcome != refloop::Error::none) return fail(fetch.failure_reason());
  std::printf("%d\n%s", fetch.status(), fetch.body().c_str());
}
