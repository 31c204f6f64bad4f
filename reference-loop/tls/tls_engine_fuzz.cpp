// A conversation over a line on which somebody changes bytes: nothing but what was said ever comes out, and a
// side that was misled says so.
#include <algorithm>
#include <array>

#include "reference-loop/http_parser/fuzz_entry.h"
#include "reference-loop/tls/test_certificates.h"
#include "reference-loop/tls/tls_engine.h"

namespace {

using refloop::TlsEngine;

struct Side {
  Side(const refloop::TlsContext& context, std::string_view host) : engine(context, host) {}
  TlsEngine engine;
  std::string received;
  bool said = false;

  void take(std::string_view ciphertext, std::string_view text) {
    static std::array<std::byte, refloop::kTlsRecordBytes> record;
    engine.set_input(std::as_bytes(std::span(ciphertext)));
    for (std::size_t size = 0;;) {
      const TlsEngine::Status status = engine.advance(record, size);
      received.append(reinterpret_cast<const char*>(record.data()), size);
      if (status == TlsEngine::Status::connected && !said) {
        said = true;
        (void)engine.write(std::as_bytes(std::span(text)));
      }
      if (status != TlsEngine::Status::connected && status != TlsEngine::Status::data) return;
    }
  }
  std::string take_output() {
    const auto made = engine.output();
    std::string output(reinterpret_cast<const char*>(made.data()), made.size());
    engine.clear_output();
    return output;
  }
};

// Three bytes of the input are one change: which byte of all that passes, and how.
struct Meddler {
  std::string_view changes;
  std::size_t passed = 0;

  void pass(std::string& bytes) {
    for (std::size_t at = 0; at + 3 <= changes.size(); at += 3) {
      const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(changes[at + i]); };
      const std::size_t where = byte(0) * 16u + byte(1) % 16u;
      if (where >= passed && where < passed + bytes.size())
        bytes[where - passed] = static_cast<char>(bytes[where - passed] ^ byte(2));
    }
    passed += bytes.size();
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const refloop::TestPki& pki = refloop::TestPki::instance();
  static const auto client_context = refloop::TlsContext::client(pki.trusting()).value();
  static const auto server_context = refloop::TlsContext::server(pki.server.options()).value();
  Side client(client_context, "localhost");
  Side server(server_context, "");
  Meddler meddler{{reinterpret_cast<const char*>(data), std::min<std::size_t>(size, 60)}};
  // The rest is said to the server before anybody else speaks: what is no TLS at all.
  if (size > 60) server.take({reinterpret_cast<const char*>(data) + 60, size - 60}, "answer");
  client.take("", "question");
  for (bool silent = false; !silent;) {
    std::string asked = client.take_output();
    meddler.pass(asked);
    server.take(asked, "answer");
    const std::string said = server.take_output();
    client.take(said, "question");
    silent = asked.empty() && said.empty();
  }
  if (!std::string_view("question").starts_with(server.received)) std::abort();
  if (!std::string_view("answer").starts_with(client.received)) std::abort();
  return 0;
}

const char* const kFuzzSeeds[] = {
    "", "\x01\x02\x03", "\x10\x01\x80\x20\x05\x01", "\x21\x03\x01", "\x7f\x7f\x7f", nullptr};
const unsigned kFuzzRounds = 500;
