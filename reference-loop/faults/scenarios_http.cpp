// HTTP/1.1, server and client, on TCP and on TLS.
#include <deque>
#include <optional>
#include <utility>

#include "reference-loop/faults/scenario.h"
#include "reference-loop/http/http_client.h"
#include "reference-loop/http/http_fetch.h"
#include "reference-loop/http/http_server.h"
#include "reference-loop/tls/test_certificates.h"

namespace refloop::faults {
namespace {

using namespace std::chrono_literals;

// Long enough for any machine, short enough that a peer which ended unheard holds nobody up for long.
constexpr Nanos kLinger = 100ms;

// A server that enters in the ledger which requests it was asked and what became of them: /echo sends the
// body back as it comes, /later answers from another turn, anything else is answered at once.
class Office {
 public:
  Office(World& world, const TlsContext* tls = nullptr)
      : server(world.loop(), {.tls = tls, .linger_timeout = kLinger}, on_request),
        world_(world),
        later_(world.loop()) {
    server.data = later_.data = this;
    world.on_wind_up([this] { close(); });
  }

  // Nothing, and the world winds up, if it failed.
  std::optional<Address> open() {
    const auto listening = server.listen(Address::parse("127.0.0.1", 0).value());
    if (world_.ledger().took("listen", listening)) {
      const auto address = server.local_address();
      if (world_.ledger().took("local_address", address)) return *address;
    }
    world_.wind_up();
    return std::nullopt;
  }

  HttpServer server;

 private:
  struct Visit {
    Office* office = nullptr;
    Ledger::Ticket ticket = 0;
    bool answered = false;
  };
  static Visit& of(HttpExchange& exchange) { return *static_cast<Visit*>(exchange.data); }

  static void on_request(HttpExchange& exchange, const http_parser::Request& request) {
    Office& office = *static_cast<Office*>(exchange.server().data);
    Visit& visit = office.visits_.emplace_back();
    visit = {&office, office.world_.ledger().start("exchange"), false};
    exchange.data = &visit;
    exchange.set_on_abandoned([](HttpExchange& gone) {
      Visit& its = of(gone);
      if (its.office->waiting_ == &gone) its.office->waiting_ = nullptr;
      if (!its.answered) its.office->world_.ledger().end(its.ticket, Error::canceled);
    });
    if (request.path() == "/echo") return echo(exchange);
    if (request.path() != "/later") return office.answer(exchange);
    office.waiting_ = &exchange;
    (void)office.later_.start(
        [](Timer& timer) {
          Office& its = *static_cast<Office*>(timer.data);
          if (its.waiting_) its.answer(*std::exchange(its.waiting_, nullptr));
        },
        1ms);
  }
  void answer(HttpExchange& exchange) {
    of(exchange).answered = true;
    world_.ledger().end(of(exchange).ticket, Error::none);
    exchange.reply(200, "answer");
  }
  static void echo(HttpExchange& exchange) {
    exchange.begin_reply(200);
    exchange.set_on_body([](HttpExchange& self, std::string_view piece) { self.write(piece); });
    exchange.set_on_request_end([](HttpExchange& self) {
      Visit& visit = of(self);
      visit.answered = true;
      visit.office->world_.ledger().end(visit.ticket, Error::none);
      self.end_reply();
    });
  }
  void close() {
    later_.close();
    const auto ticket = world_.ledger().start("server close");
    closing_ = ticket;
    server.close([](HttpServer& closed) {
      Office& office = *static_cast<Office*>(closed.data);
      office.world_.ledger().end(office.closing_, Error::none);
    });
    if (waiting_) server.abort();  // it would be waited for
  }

  World& world_;
  Timer later_;
  std::deque<Visit> visits_;
  HttpExchange* waiting_ = nullptr;
  Ledger::Ticket closing_ = 0;
};

// A client that asks for one thing after the other on one connection.
class Visitor {
 public:
  Visitor(World& world, HttpClientOptions options)
      : client_(world.loop(), std::move(options)), world_(world) {
    client_.data = this;
    world.on_wind_up([this] {
      closing_ = world_.ledger().start("client close");
      client_.close(
          [](HttpClient& closed) { of(closed).world_.ledger().end(of(closed).closing_, Error::none); });
    });
  }

  void open(const Address& address, std::function<void()> opened) {
    then_ = std::move(opened);
    ticket_ = world_.ledger().start("open");
    const auto opening = client_.open({address}, [](HttpClient& client, Error error) {
      Visitor& self = of(client);
      self.hear(error);
    });
    if (!opening) refuse(opening.error());
  }
  // With a body, if it is not empty, in chunks.
  void ask(std::string_view target, std::string_view body, std::function<void()> answered) {
    then_ = std::move(answered);
    received.clear();
    ticket_ = world_.ledger().start("request");
    HttpClient::Callbacks callbacks;
    callbacks.on_body = [](HttpClient& client, std::string_view piece) { of(client).received.append(piece); };
    callbacks.on_done = [](HttpClient& client, Error error) { of(client).hear(error); };
    auto asked = client_.request({.method = body.empty() ? "GET" : "POST",
                                  .target = target,
                                  .host = "localhost",
                                  .chunked = !body.empty()},
                                 callbacks);
    if (!asked) return refuse(asked.error());
    if (body.empty()) return;
    const bool sent =
        world_.ledger().took("write", client_.write(body)) && world_.ledger().took("end", client_.end());
    if (!sent) world_.wind_up();
  }

  std::string received;

 private:
  static Visitor& of(HttpClient& client) { return *static_cast<Visitor*>(client.data); }
  void hear(Error error) {
    const bool waited = client_.failure_reason().ends_with("paused for too long") ||
                        client_.failure_reason().ends_with("in time");
    world_.ledger().check(!waited, "the client waited in vain");
    world_.ledger().end(ticket_, error);
    if (world_.fine(error)) std::exchange(then_, {})();
  }
  void refuse(Error error) {
    world_.ledger().refuse(ticket_, error);
    world_.wind_up();
  }

  HttpClient client_;
  World& world_;
  std::function<void()> then_;
  Ledger::Ticket ticket_ = 0;
  Ledger::Ticket closing_ = 0;
};

}  // namespace

// Three requests on one connection, one of them with a body that comes back; then both sides close.
void http(World& world) {
  Office office(world);
  Visitor visitor(world, {});
  const std::string body = pattern(150'000);
  if (const auto address = office.open()) {
    visitor.open(*address, [&] {
      visitor.ask("/now", {}, [&] {
        world.ledger().check(visitor.received == "answer", "another answer than was given");
        visitor.ask("/echo", body, [&] {
          world.ledger().check(visitor.received == body, "another body came back than was sent");
          visitor.ask("/later", {}, [&] { world.wind_up(); });
        });
      });
    });
  }
  world.run();
}

// A whole outbound request: the name, the connection, TLS, the exchange.
void fetch(World& world) {
  const TestPki& pki = TestPki::instance();
  const TlsContext trusting = TlsContext::client(pki.trusting()).value();
  const TlsContext known = TlsContext::server(pki.server.options()).value();
  Office office(world, &known);
  HttpFetch fetch(world.loop());
  struct Waiting {
    World& world;
    Ledger::Ticket ticket;
  } waiting{world, 0};
  fetch.data = &waiting;
  if (const auto address = office.open()) {
    waiting.ticket = world.ledger().start("fetch");
    const auto started = fetch.start("https://localhost:" + std::to_string(address->port()) + "/later",
                                     {.body = "a word", .tls = &trusting}, [](HttpFetch& done, Error error) {
                                       auto& its = *static_cast<Waiting*>(done.data);
                                       its.world.ledger().end(its.ticket, error);
                                       const bool whole = done.status() == 200 && done.body() == "answer";
                                       its.world.ledger().check(whole || error != Error::none,
                                                                "another answer than was given");
                                       its.world.wind_up();
                                     });
    if (!started) {
      world.ledger().refuse(waiting.ticket, started.error());
      world.wind_up();
    }
  }
  world.run();
}

}  // namespace refloop::faults
