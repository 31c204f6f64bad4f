// A session that is fed one input whole, and one that gets it byte by byte, serve the same requests and send
// the same bytes, and neither leaks an exchange.
#include "reference-loop/http_parser/fuzz_entry.h"
#include "reference-loop/http_session/server_session.h"

namespace {

constexpr http_session::ServerSettings kSettings{
    .limits = {.head_bytes_max = 512, .headers_max = 8, .body_bytes_max = 1024},
    .exchanges_max = 2,
    .with_date = false};

// Answers every request when it is complete, with what it was.
struct EchoExchange final : http_session::ServerExchange {
  std::string seen;
  void on_request(const http_parser::Request& request) override {
    seen.append(request.method).append(request.path());
  }
  void on_body(std::string_view piece) override { seen.append(piece); }
  void on_request_end() override {
    if (seen.size() % 2 == 0) return reply(200, seen);
    begin_reply(200);
    write(seen);
    end_reply();
  }
};

struct FuzzSession final : http_session::ServerSession {
  FuzzSession() : ServerSession(kSettings) {}
  ~FuzzSession() override {
    abandon();
    if (live != 0) std::abort();
  }
  void send(std::string_view bytes) override { sent.append(bytes); }
  std::size_t unsent_bytes() const override { return 0; }
  void close() override { sent.append("<closed>"); }
  void input_wanted(bool) override {}
  http_session::ServerExchange& acquire() override {
    ++live;
    return *new EchoExchange;
  }
  void release(http_session::ServerExchange& exchange) override {
    --live;
    delete &exchange;
  }
  std::string sent;
  int live = 0;
};

std::string outcome_of(std::string_view bytes, std::size_t piece_size) {
  FuzzSession session;
  for (; !bytes.empty(); bytes.remove_prefix(std::min(piece_size, bytes.size())))
    session.receive(bytes.substr(0, piece_size));
  session.receive_end();
  // Whether "100 Continue" was worth sending depends on whether the body was there already.
  for (std::size_t at; (at = session.sent.find("HTTP/1.1 100 Continue\r\n\r\n")) != std::string::npos;)
    session.sent.erase(at, 25);
  return session.sent;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (outcome_of(bytes, size) != outcome_of(bytes, 1)) std::abort();
  return 0;
}

const char* const kFuzzSeeds[] = {
    "GET /hello?a=b HTTP/1.1\r\nHost: a\r\n\r\nGET /b HTTP/1.1\r\nHost: a\r\n\r\nHEAD / HTTP/1.0\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: "
    "chunked\r\n\r\n3\r\nabc\r\nA;n=v\r\n0123456789\r\n0\r\nB: 1\r\n\r\n",
    "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\nhalloGET / "
    "HTTP/1.1\r\n\r\n",
    nullptr};
const unsigned kFuzzRounds = 20000;
