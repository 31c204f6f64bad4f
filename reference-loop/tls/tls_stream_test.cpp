#include "reference-loop/tls/tls_stream.h"

#include <deque>
#include <functional>
#include <gtest/gtest.h>
#include <memory>
#include <string>

#include "reference-loop/listener.h"
#include "reference-loop/tcp.h"
#include "reference-loop/test_log.h"
#include "reference-loop/test_loop.h"
#include "reference-loop/tls/test_certificates.h"

namespace refloop {
namespace {

// A TLS connection of a test with its stream below, logging its own callbacks.
struct TlsPeer {
  TlsPeer(Loop& loop, const TlsContext& context, Log& shared_log, std::string peer_name,
          std::string_view host = {})
      : tcp(loop), tls(tcp, context, host), log(shared_log), name(std::move(peer_name)) {
    tls.data = this;
  }
  Tcp tcp;
  TlsStream tls;
  Log& log;
  std::string name;
  std::string received;
  bool closed = false;
  std::function<void()> on_connected = [] {}, on_data = [] {}, on_end = [] {};

  static TlsPeer& of(Handle& handle) { return *static_cast<TlsPeer*>(handle.data); }
  void note(const std::string& what) { log.push_back(name + " " + what); }
  void handshake() {
    ASSERT_TRUE(tls.handshake([](TlsStream& stream, Error error) {
      of(stream).note("handshake " + std::string(name_of(error)));
      if (error == Error::none) of(stream).on_connected();
    }));
  }
  void read() {
    ASSERT_TRUE(tls.read_start(
        [](TlsStream& stream, Bytes bytes) {
          TlsPeer& self = of(stream);
          self.received.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
          self.on_data();
        },
        [](TlsStream& stream, Error error) {
          of(stream).note("end " + std::string(name_of(error)));
          of(stream).on_end();
        }));
  }
  void close() {
    if (tls.is_closing()) return;
    tls.close([](Handle& handle) { of(handle).closed = true; });
  }
};

struct NotedWrite : TlsWriteRequest {
  std::string label;
  TlsPeer* peer = nullptr;
};

struct TlsStreamTest : ::testing::Test {
  std::unique_ptr<Loop> loop = make_loop();
  const TestPki& pki = TestPki::instance();
  TlsContext client_context = TlsContext::client(pki.trusting()).value();
  TlsContext server_context = TlsContext::server(pki.server.options()).value();
  Log log;
  Listener listener{*loop};
  std::unique_ptr<TlsPeer> client =
      std::make_unique<TlsPeer>(*loop, client_context, log, "client", "localhost");
  std::unique_ptr<TlsPeer> server = std::make_unique<TlsPeer>(*loop, server_context, log, "server");
  std::deque<NotedWrite> writes;
  bool accepted = false;
  std::function<void()> on_accept = [this] { server->handshake(); };

  void SetUp() override {
    listener.data = this;
    ASSERT_TRUE(
        listener.listen(Address::parse("127.0.0.1", 0).value(), {}, [](Listener& self, Socket socket) {
          auto& test = *static_cast<TlsStreamTest*>(self.data);
          ASSERT_TRUE(test.server->tcp.adopt(std::move(socket)));
          test.accepted = true;
          test.on_accept();
        }));
  }
  // Two new peers in place of the old, which are closed.
  void replace_peers(std::string_view host) {
    client->close();
    server->close();
    run_until([&] { return client->closed && server->closed; });
    client = std::make_unique<TlsPeer>(*loop, client_context, log, "client", host);
    server = std::make_unique<TlsPeer>(*loop, server_context, log, "server");
    log.clear();
  }
  void connect() {
    accepted = false;
    ASSERT_TRUE(client->tcp.connect(listener.local_address().value(), [](Stream& stream, Error error) {
      ASSERT_EQ(error, Error::none);
      TlsPeer::of(*static_cast<TlsStream*>(stream.data)).handshake();
    }));
  }
  void run_until(const std::function<bool()>& condition) {
    while (!condition() && loop->alive()) loop->run(RunMode::once);
    ASSERT_TRUE(condition()) << "the loop has nothing left to do";
  }
  bool both_connected() {
    return client->tls.engine().is_connected() && server->tls.engine().is_connected() && log.size() >= 2;
  }
  void write(TlsPeer& peer, const std::string& label, std::string_view bytes) {
    NotedWrite& request = writes.emplace_back();
    request.label = label;
    request.peer = &peer;
    ASSERT_TRUE(peer.tls.write(request, as_bytes(bytes), [](TlsWriteRequest& self, Error error) {
      auto& noted = static_cast<NotedWrite&>(self);
      noted.peer->note(noted.label + " " + std::string(name_of(error)));
    }));
  }
  Log of(const std::string& name) {
    Log selected;
    for (const std::string& entry : log) {
      if (entry.starts_with(name)) selected.push_back(entry.substr(name.size() + 1));
    }
    return selected;
  }
  void TearDown() override {
    if (!listener.is_closing()) listener.close();
    for (TlsPeer* peer : {client.get(), server.get()}) peer->close();
    EXPECT_FALSE(loop->run());
  }
};

TEST_F(TlsStreamTest, echoes) {
  connect();
  server->on_connected = [&] { server->read(); };
  server->on_data = [&] { EXPECT_TRUE(server->tls.send(as_bytes(std::exchange(server->received, "")))); };
  client->on_connected = [&] {
    client->read();
    EXPECT_TRUE(client->tls.send(as_bytes("hel"), as_bytes("lo")));
  };
  run_until([&] { return client->received == "hello"; });
  EXPECT_EQ(of("client"), Log{"handshake OK"});
}

TEST_F(TlsStreamTest, writes_queued_before_the_handshake_leave_first_in_first_out_and_report_in_order) {
  connect();
  server->on_connected = [&] { server->read(); };
  const std::string big(300'000, 'b');
  EXPECT_EQ(client->tls.send(as_bytes("x")).error(), Error::not_connected) << "no handshake has begun";
  run_until([&] { return client->tls.send({}).has_value(); });
  ASSERT_FALSE(client->tls.engine().is_connected()) << "its callback has just begun the handshake";
  write(*client, "w1", "a");
  write(*client, "w2", big);
  write(*client, "w3", "c");
  ASSERT_TRUE(client->tls.shutdown([](TlsStream& stream, Error error) {
    TlsPeer::of(stream).note("shutdown " + std::string(name_of(error)));
  }));
  EXPECT_EQ(client->tls.send(as_bytes("x")).error(), Error::broken_pipe);
  EXPECT_EQ(of("client"), Log{}) << "nothing inside the calls";
  run_until([&] { return of("server").size() == 2 && of("client").size() == 5; });
  EXPECT_EQ(of("client"), (Log{"handshake OK", "w1 OK", "w2 OK", "w3 OK", "shutdown OK"}));
  EXPECT_EQ(of("server"), (Log{"handshake OK", "end OK"}));
  EXPECT_EQ(server->received, "a" + big + "c");
}

TEST_F(TlsStreamTest, an_end_without_close_notify_is_an_error_after_all_data) {
  connect();
  server->on_connected = [&] { server->read(); };
  run_until([&] { return both_connected(); });
  ASSERT_TRUE(client->tls.send(as_bytes("some")));
  client->tcp.shutdown(nullptr);  // below TLS, as an attacker would
  run_until([&] { return of("server").size() == 2; });
  EXPECT_EQ(server->received, "some");
  EXPECT_EQ(of("server"), (Log{"handshake OK", "end ECONNABORTED"}));
  EXPECT_EQ(server->tls.failure_reason(),
            "the peer ended the connection without close_notify: data may be missing");
}

TEST_F(TlsStreamTest, closing_in_order_says_close_notify) {
  connect();
  server->on_connected = [&] { server->read(); };
  run_until([&] { return both_connected(); });
  client->close();
  run_until([&] { return of("server").size() == 2; });
  EXPECT_EQ(of("server"), (Log{"handshake OK", "end OK"}));
}

TEST_F(TlsStreamTest, each_direction_ends_for_itself) {
  connect();
  server->on_connected = [&] { server->read(); };
  server->on_end = [&] {
    EXPECT_TRUE(server->tls.send(as_bytes("after your end")));
    EXPECT_TRUE(server->tls.shutdown(nullptr));
  };
  client->on_connected = [&] {
    client->read();
    EXPECT_TRUE(client->tls.shutdown(nullptr));
  };
  run_until([&] { return of("client").size() == 2; });
  EXPECT_EQ(client->received, "after your end");
  EXPECT_EQ(of("client"), (Log{"handshake OK", "end OK"}));
}

TEST_F(TlsStreamTest, who_does_not_read_holds_the_sender_back) {
  connect();
  run_until([&] { return both_connected(); });
  const std::string big(16 << 20, 'x');
  write(*client, "big", big);
  EXPECT_GT(client->tls.queued_bytes(), 8u << 20) << "plaintext waits unencrypted";
  EXPECT_LT(client->tcp.queued_bytes(), 1u << 20) << "ciphertext is made as the socket drains";
  for (int i = 0; i < 20; ++i) loop->run(RunMode::nowait);
  EXPECT_EQ(server->received, "");
  bool stopped = false;
  server->on_data = [&] {
    if (server->received.size() >= 100'000 && !std::exchange(stopped, true)) server->tls.read_stop();
  };
  server->read();
  run_until([&] { return server->received.size() >= 100'000; });
  const std::size_t at_stop = server->received.size();
  for (int i = 0; i < 20; ++i) loop->run(RunMode::nowait);
  EXPECT_EQ(server->received.size(), at_stop) << "stopped within a batch of records";
  server->read();
  EXPECT_EQ(server->received.size(), at_stop) << "never inside the call";
  run_until([&] { return server->received.size() == big.size() && of("client").size() == 2; });
  EXPECT_EQ(server->received, big);
  EXPECT_EQ(of("client").back(), "big OK");
}

TEST_F(TlsStreamTest, drain_is_called_when_everything_has_left) {
  connect();
  run_until([&] { return both_connected(); });
  client->tls.set_on_drain([](TlsStream& stream) {
    EXPECT_EQ(stream.queued_bytes(), 0u);
    TlsPeer::of(stream).note("drain");
  });
  ASSERT_TRUE(client->tls.send(as_bytes(std::string(16 << 20, 'x'))));
  EXPECT_GT(client->tls.queued_bytes(), 0u);
  server->read();
  run_until([&] { return of("client").size() == 2; });
  EXPECT_EQ(of("client").back(), "drain");
}

TEST_F(TlsStreamTest, a_refused_certificate_fails_the_handshake_with_its_sentence_and_cancels_writes) {
  replace_peers("wrong.test");
  connect();
  run_until([&] { return of("client").size() == 1 && of("server").size() == 1; });
  EXPECT_EQ(of("client"), Log{"handshake EKEYREJECTED"});
  EXPECT_EQ(
      client->tls.failure_reason(),
      "the certificate that answers for wrong.test is not for that name, but for localhost, example.test");
  EXPECT_EQ(client->tls.send(as_bytes("secret")).error(), kTlsCertificateRefused);
  EXPECT_EQ(of("server"), Log{"handshake EPROTO"});
}

TEST_F(TlsStreamTest, a_peer_that_speaks_no_tls_fails_the_handshake) {
  connect();
  on_accept = [&] { ASSERT_TRUE(server->tcp.send(as_bytes("220 welcome to mail\r\n"))); };
  run_until([&] { return of("client").size() == 1; });
  EXPECT_EQ(of("client"), Log{"handshake EPROTO"});
}

TEST_F(TlsStreamTest, closing_ends_what_is_outstanding_before_its_own_callback) {
  connect();
  run_until([&] { return both_connected(); });
  const std::string big(16 << 20, 'x');
  write(*client, "w1", big);
  write(*client, "w2", "y");
  ASSERT_TRUE(client->tls.shutdown([](TlsStream& stream, Error error) {
    TlsPeer::of(stream).note("shutdown " + std::string(name_of(error)));
  }));
  client->close();
  EXPECT_EQ(of("client"), Log{"handshake OK"});
  run_until([&] { return client->closed; });
  EXPECT_EQ(of("client"), (Log{"handshake OK", "w1 ECANCELED", "w2 ECANCELED", "shutdown ECANCELED"}));
  server->read();
  run_until([&] { return of("server").size() == 2; });
  EXPECT_NE(of("server").back(), "end OK") << "bytes are missing";
}

TEST_F(TlsStreamTest, a_write_reports_when_the_system_took_its_ciphertext_not_before) {
  connect();
  run_until([&] { return both_connected(); });
  const std::string piece(16 * 1024, 'x');
  while (client->tcp.queued_bytes() == 0) ASSERT_TRUE(client->tls.send(as_bytes(piece)));
  write(*client, "w1", "encrypted at once, and then it waits below");
  EXPECT_EQ(client->tls.queued_bytes(), client->tcp.queued_bytes());
  for (int i = 0; i < 10; ++i) loop->run(RunMode::nowait);
  if (client->tcp.queued_bytes() == 0) return;  // the system took it after all
  EXPECT_EQ(of("client"), Log{"handshake OK"});
  client->close();
  run_until([&] { return client->closed; });
  EXPECT_EQ(of("client"), (Log{"handshake OK", "w1 ECANCELED"}));
}

TEST_F(TlsStreamTest, may_be_closed_from_any_callback) {
  using Closer = std::function<void(TlsStreamTest&)>;
  const Closer closers[] = {
      [](TlsStreamTest& test) { test.client->on_connected = [&] { test.client->close(); }; },
      [](TlsStreamTest& test) { test.server->on_connected = [&] { test.server->close(); }; },
      [](TlsStreamTest& test) { test.server->on_data = [&] { test.server->close(); }; },
      [](TlsStreamTest& test) { test.server->on_end = [&] { test.server->close(); }; },
      [](TlsStreamTest& test) { test.on_accept = [&] { test.server->handshake(), test.server->close(); }; }};
  for (const Closer& closer : closers) {
    replace_peers("localhost");
    on_accept = [this] { server->handshake(); };
    server->on_connected = [&] { server->read(); };
    client->on_connected = [&] {
      ASSERT_TRUE(client->tls.send(as_bytes("x")));
      ASSERT_TRUE(client->tls.shutdown(nullptr));
    };
    closer(*this);
    connect();
    run_until([&] { return accepted && (client->closed || server->closed); });
  }
}

TEST_F(TlsStreamTest, a_session_is_resumed) {
  connect();
  client->on_connected = [&] { client->read(); };
  server->on_connected = [&] { ASSERT_TRUE(server->tls.send(as_bytes("x"))); };
  run_until([&] { return client->received == "x"; });
  const TlsSession session = client->tls.engine().session();
  ASSERT_TRUE(session) << "tickets came before the data";
  replace_peers("localhost");
  client->tls.resume(session);
  connect();
  run_until([&] { return both_connected(); });
  EXPECT_TRUE(client->tls.engine().session_reused());
  EXPECT_TRUE(server->tls.engine().session_reused());
}

}  // namespace
}  // namespace refloop
