#include "reference-loop/tls/tls_engine.h"

#include <array>
#include <gtest/gtest.h>
#include <openssl/ssl.h>
#include <string>

#include "reference-loop/tls/test_certificates.h"

namespace refloop {
namespace {

using Status = TlsEngine::Status;

// One side of a conversation in memory, and what it has seen.
struct Side {
  Side(const TlsContext& context, std::string_view host = {}) : engine(context, host) {}
  TlsEngine engine;
  std::string received;
  Status last = Status::need_input;

  // Gives it `ciphertext` and lets it take everything it can.
  void take(std::string_view ciphertext) {
    static std::array<std::byte, kTlsRecordBytes> record;
    engine.set_input(std::as_bytes(std::span(ciphertext)));
    while (true) {
      std::size_t size = 0;
      last = engine.advance(record, size);
      received.append(reinterpret_cast<const char*>(record.data()), size);
      if (last != Status::connected && last != Status::data) return;
    }
  }
  std::string take_output() {
    const auto made = engine.output();
    std::string output(reinterpret_cast<const char*>(made.data()), made.size());
    engine.clear_output();
    return output;
  }
  void say(std::string_view text) { ASSERT_TRUE(engine.write(std::as_bytes(std::span(text)))); }
};

// Carries what each says to the other, in pieces, until both are silent.
void converse(Side& client, Side& server, std::size_t piece_size = 1 << 20) {
  if (!client.engine.is_connected()) client.take("");
  for (bool silent = false; !silent;) {
    silent = true;
    for (auto [from, to] : {std::pair(&client, &server), std::pair(&server, &client)}) {
      const std::string output = from->take_output();
      silent = silent && output.empty();
      for (std::size_t at = 0; at < output.size(); at += piece_size) to->take(output.substr(at, piece_size));
    }
  }
}

struct TlsEngineTest : ::testing::Test {
  const TestPki& pki = TestPki::instance();
  TlsContext client_context = TlsContext::client(pki.trusting()).value();
  TlsContext server_context = TlsContext::server(pki.server.options()).value();

  // The sentence with which a client that trusts only the test authority refuses this server.
  std::string refusal_of(const TestIdentity& identity, std::string_view host) {
    Side client(client_context, host);
    Side server(TlsContext::server(identity.options()).value());
    converse(client, server);
    EXPECT_EQ(client.last, Status::failed);
    EXPECT_EQ(client.engine.failure().error, kTlsCertificateRefused);
    EXPECT_FALSE(client.engine.is_connected());
    EXPECT_EQ(server.last, Status::failed) << "the alert tells it";
    return client.engine.failure().reason;
  }
};

TEST_F(TlsEngineTest, carries_bytes_both_ways_however_they_are_cut) {
  for (const std::size_t piece_size : {1u, 2u, 5u, 1000u, 1u << 20}) {
    Side client(client_context, "example.test");
    Side server(server_context);
    converse(client, server, piece_size);
    ASSERT_TRUE(client.engine.is_connected() && server.engine.is_connected());
    EXPECT_EQ(client.engine.version(), "TLSv1.3");
    EXPECT_EQ(server.engine.server_name(), "example.test");
    const std::string question(40'000, 'q');
    client.say(question);
    server.say("answer");
    converse(client, server, piece_size);
    EXPECT_EQ(server.received, question);
    EXPECT_EQ(client.received, "answer");
  }
}

TEST_F(TlsEngineTest, close_notify_is_an_end_and_anything_else_is_not) {
  Side client(client_context, "localhost");
  Side server(server_context);
  converse(client, server);
  client.say("bye");
  client.engine.close_notify();
  converse(client, server);
  EXPECT_EQ(server.received, "bye");
  EXPECT_EQ(server.last, Status::end);
  server.say("still here");
  converse(client, server);
  EXPECT_EQ(client.received, "still here") << "each direction ends for itself";
  client.engine.end_input();
  client.take("");
  EXPECT_EQ(client.last, Status::failed);
  EXPECT_EQ(client.engine.failure().error, kTlsTruncated);
  EXPECT_EQ(client.engine.failure().reason,
            "the peer ended the connection without close_notify: data may be missing");
}

TEST_F(TlsEngineTest, an_end_amid_the_handshake_is_an_error) {
  Side client(client_context, "localhost");
  client.take("");
  client.engine.end_input();
  client.take("");
  EXPECT_EQ(client.engine.failure().error, kTlsTruncated);
  EXPECT_EQ(client.engine.failure().reason, "the peer ended the connection during the handshake");
}

TEST_F(TlsEngineTest, each_bad_certificate_is_refused_with_its_own_sentence) {
  TestIdentity expired, early, self_signed, unknown_authority, unknown;
  make_identity(expired, {.starts_in_s = -7200, .ends_in_s = -3600, .issuer = &pki.authority});
  make_identity(early, {.starts_in_s = 3600, .ends_in_s = 7200, .issuer = &pki.authority});
  make_identity(self_signed, {});
  make_identity(unknown_authority, {.common_name = "Nobody", .is_authority = true});
  make_identity(unknown, {.issuer = &unknown_authority});
  EXPECT_EQ(
      refusal_of(pki.server, "wrong.test"),
      "the certificate that answers for wrong.test is not for that name, but for localhost, example.test");
  EXPECT_EQ(
      refusal_of(pki.server, "127.0.0.2"),
      "the certificate that answers for 127.0.0.2 is not for that name, but for localhost, example.test");
  EXPECT_TRUE(
      refusal_of(expired, "localhost")
          .starts_with("the certificate that answers for localhost has expired: it was valid until 2"));
  EXPECT_EQ(refusal_of(early, "localhost"), "the certificate that answers for localhost is not valid yet");
  EXPECT_EQ(refusal_of(self_signed, "localhost"),
            "the certificate that answers for localhost is self-signed, by nobody this context trusts");
  EXPECT_EQ(refusal_of(unknown, "localhost"),
            "the certificate that answers for localhost was issued by somebody this context does not trust: "
            "/CN=Nobody");
}

TEST_F(TlsEngineTest, an_address_is_verified_as_an_address) {
  Side client(client_context, "127.0.0.1");
  Side server(server_context);
  converse(client, server);
  EXPECT_TRUE(client.engine.is_connected()) << client.engine.failure().reason;
  EXPECT_EQ(server.engine.server_name(), "") << "RFC 6066 3: no literal addresses";
}

TEST_F(TlsEngineTest, who_verifies_must_say_whom_and_who_does_not_must_say_so) {
  Side nobody(client_context, "");
  nobody.take("");
  EXPECT_EQ(nobody.engine.failure().error, Error::bad_state);
  EXPECT_TRUE(nobody.take_output().empty());

  TestIdentity self_signed;
  make_identity(self_signed, {});
  const auto trusting_all = TlsContext::client(
      {.verification = TlsVerification::none_anyone_may_listen, .trusted_pem = {}, .alpn = {}});
  Side client(trusting_all.value(), "");
  Side server(TlsContext::server(self_signed.options()).value());
  converse(client, server);
  EXPECT_TRUE(client.engine.is_connected());
}

TEST_F(TlsEngineTest, both_agree_on_the_servers_favourite_protocol_or_not_at_all) {
  const auto outcome = [&](std::vector<std::string> offered, std::vector<std::string> served) -> std::string {
    TlsClientOptions client_options = pki.trusting();
    client_options.alpn = std::move(offered);
    TlsServerOptions server_options = pki.server.options();
    server_options.alpn = std::move(served);
    Side client(TlsContext::client(client_options).value(), "localhost");
    Side server(TlsContext::server(server_options).value());
    converse(client, server);
    if (!client.engine.is_connected()) return "refused";
    EXPECT_EQ(client.engine.alpn(), server.engine.alpn());
    return std::string(client.engine.alpn());
  };
  EXPECT_EQ(outcome({"a", "http/1.1"}, {"http/1.1", "a"}), "http/1.1");
  EXPECT_EQ(outcome({"a"}, {}), "");
  EXPECT_EQ(outcome({}, {"a"}), "");
  EXPECT_EQ(outcome({"a"}, {"b"}), "refused");
}

TEST_F(TlsEngineTest, a_server_answers_with_the_certificate_of_the_name_it_was_asked_for) {
  TestIdentity other, wild;
  make_identity(other, {.names = "DNS:other.test", .issuer = &pki.authority});
  make_identity(wild, {.names = "DNS:*.wild.test", .issuer = &pki.authority});
  server_context.serve_name("Other.test", TlsContext::server(other.options()).value());
  server_context.serve_name("*.wild.test", TlsContext::server(wild.options()).value());
  for (const char* host : {"localhost", "other.test", "OTHER.test", "a.wild.test"}) {
    Side client(client_context, host);
    Side server(server_context);
    converse(client, server);
    EXPECT_TRUE(client.engine.is_connected()) << host << ": " << client.engine.failure().reason;
  }
  Side client(client_context, "a.b.wild.test");
  Side server(server_context);
  converse(client, server);
  EXPECT_FALSE(client.engine.is_connected()) << "a star is one label";
}

TEST_F(TlsEngineTest, a_session_is_resumed_by_the_same_name_only) {
  const auto connect = [&](const TlsContext& context, const char* host, const TlsSession& session) {
    auto client = std::make_unique<Side>(context, host);
    Side server(server_context);
    client->engine.resume(session);
    converse(*client, server);
    EXPECT_TRUE(client->engine.is_connected());
    EXPECT_EQ(client->engine.session_reused(), server.engine.session_reused());
    return client;
  };
  const auto first = connect(client_context, "localhost", {});
  EXPECT_FALSE(first->engine.session_reused());
  ASSERT_TRUE(first->engine.session()) << "tickets have arrived";
  EXPECT_TRUE(connect(client_context, "localhost", first->engine.session())->engine.session_reused());
  EXPECT_FALSE(connect(client_context, "example.test", first->engine.session())->engine.session_reused())
      << "a resumed handshake shows no certificate to verify";
  // Where no name is sent, the server cannot notice either.
  const auto numbered = connect(client_context, "127.0.0.1", {});
  EXPECT_TRUE(connect(client_context, "127.0.0.1", numbered->engine.session())->engine.session_reused());
  EXPECT_FALSE(connect(client_context, "127.0.0.3", numbered->engine.session())->engine.session_reused());
  const auto careless = TlsContext::client(
      {.verification = TlsVerification::none_anyone_may_listen, .trusted_pem = {}, .alpn = {}});
  const auto unverified = connect(careless.value(), "localhost", {});
  EXPECT_FALSE(connect(client_context, "localhost", unverified->engine.session())->engine.session_reused())
      << "nobody had verified it";
}

TEST_F(TlsEngineTest, speaks_tls_1_2_too_and_neither_side_renegotiates) {
  for (const bool client_asks : {true, false}) {
    Side client(client_context, "localhost");
    Side server(server_context);
    SSL_set_max_proto_version(client.engine.native(), TLS1_2_VERSION);
    converse(client, server);
    ASSERT_TRUE(client.engine.is_connected());
    EXPECT_EQ(client.engine.version(), "TLSv1.2");
    Side& asking = client_asks ? client : server;
    Side& asked = client_asks ? server : client;
    SSL_clear_options(asking.engine.native(), SSL_OP_NO_RENEGOTIATION);
    ASSERT_EQ(SSL_renegotiate(asking.engine.native()), 1);
    SSL_do_handshake(asking.engine.native());
    asked.take(asking.take_output());
    const std::string answer = asked.take_output();
    ASSERT_FALSE(answer.empty());
    EXPECT_EQ(answer[0], 21) << "an alert, not a handshake";
    EXPECT_EQ(SSL_get_state(asked.engine.native()), TLS_ST_OK);
  }
}

TEST_F(TlsEngineTest, refuses_older_versions_and_what_is_no_tls) {
  Side client(client_context, "localhost");
  Side server(server_context);
  SSL_set_min_proto_version(client.engine.native(), TLS1_VERSION);
  SSL_set_max_proto_version(client.engine.native(), TLS1_1_VERSION);
  converse(client, server);
  EXPECT_FALSE(server.engine.is_connected());

  Side plain(server_context);
  plain.take("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_EQ(plain.last, Status::failed);
  EXPECT_EQ(plain.engine.failure().error, kTlsProtocolError);
  EXPECT_EQ(plain.engine.failure().reason, "TLS failed: http request");
}

TEST_F(TlsEngineTest, a_changed_byte_is_noticed) {
  Side client(client_context, "localhost");
  Side server(server_context);
  converse(client, server);
  client.say("pay 10 to Bob");
  std::string ciphertext = client.take_output();
  ciphertext[ciphertext.size() - 3] ^= 1;
  server.take(ciphertext);
  EXPECT_EQ(server.last, Status::failed);
  EXPECT_EQ(server.received, "");
}

TEST(TlsContext, says_what_is_wrong_with_its_options) {
  const TestPki& pki = TestPki::instance();
  const auto reason = [](const auto& result) { return result ? "none" : result.error().reason; };
  EXPECT_EQ(reason(TlsContext::client({.trusted_pem = "nonsense", .alpn = {}})),
            "the trusted certificates are not readable PEM");
  EXPECT_EQ(reason(TlsContext::server({.certificate_chain_pem = "", .private_key_pem = "", .alpn = {}})),
            "the certificate chain is not readable PEM");
  TlsServerOptions options = pki.server.options();
  options.private_key_pem = pki.authority.key_pem;
  EXPECT_TRUE(
      reason(TlsContext::server(options)).starts_with("the private key does not belong to the certificate"));
  options.private_key_pem = "x";
  EXPECT_TRUE(reason(TlsContext::server(options)).starts_with("the private key is not readable"));
  options = pki.server.options();
  options.alpn = {""};
  EXPECT_EQ(reason(TlsContext::server(options)), "an ALPN name has between 1 and 255 bytes");
  EXPECT_EQ(read_pem_file("/does/not/exist").error().reason, "/does/not/exist: No such file or directory");
}

}  // namespace
}  // namespace refloop
