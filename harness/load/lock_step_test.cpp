#include "harness/load/lock_step.h"

#include <atomic>
#include <gtest/gtest.h>

#include "harness/load/load_test_support.h"

namespace tickmark::load {
namespace {

const std::string kHere = "127.0.0.1";

TEST(LockStep, asks_as_often_as_told_and_one_at_a_time) {
  std::atomic<int> messages = 0;
  TruthServer server([&](int, std::string_view bytes) {
    EXPECT_EQ(bytes.size(), 64u) << "a request came before the last one was answered";
    ++messages;
    return TruthServer::Reply{.bytes = std::string(bytes)};
  });
  const Client client = echo_client();
  auto lock_step = LockStep::connect(kHere, server.port(), client);
  ASSERT_TRUE(lock_step) << lock_step.error().message;
  EXPECT_TRUE(lock_step->ask(30));
  EXPECT_TRUE(lock_step->ask(12));
  EXPECT_EQ(lock_step->answered(), 42u);
  EXPECT_EQ(messages, 42);
}

TEST(LockStep, a_reply_in_pieces_is_one_reply) {
  TruthServer server([](int, std::string_view) { return TruthServer::Reply{.bytes = kOk, .trickle = true}; });
  const Client client = http_client();
  auto lock_step = LockStep::connect(kHere, server.port(), client);
  ASSERT_TRUE(lock_step);
  EXPECT_TRUE(lock_step->ask(5));
  EXPECT_EQ(lock_step->answered(), 5u);
}

/// What comes of a server that does `wrong` at its third request.
Error fault_of(const TruthServer::Reply& wrong, const Client& client) {
  std::atomic<int> requests = 0;
  TruthServer server([&](int, std::string_view bytes) {
    const std::string right = client.http ? kOk : std::string(bytes);
    return ++requests == 3 ? wrong : TruthServer::Reply{.bytes = right};
  });
  auto lock_step = LockStep::connect(kHere, server.port(), client);
  EXPECT_TRUE(lock_step);
  const auto asked = lock_step->ask(5);
  EXPECT_EQ(lock_step->answered(), 2u);
  return asked ? Error{ErrorKind::kUsage, "none"} : asked.error();
}

TEST(LockStep, what_is_wrong_is_told_with_the_number_of_the_request) {
  const Client http = http_client(), echo = echo_client();
  const std::string other = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhallo\n";
  const std::pair<Error, const char*> faults[] = {
      {fault_of({.bytes = other}, http), "answered wrongly: request 2"},
      {fault_of({.bytes = std::string(64, 'x')}, echo), "answered wrongly: message 2"},
      {fault_of({.bytes = kOk + "X"}, http), "1 bytes more than the reply to request 2"},
      {fault_of({.bytes = kOk.substr(0, 20), .close = true}, http), "closed the connection"},
      {fault_of({.bytes = "", .close = true}, echo), "instead of answering request 2"},
  };
  for (const auto& [error, sentence] : faults) {
    EXPECT_EQ(error.kind, ErrorKind::kSubject);
    EXPECT_NE(error.message.find(sentence), std::string::npos) << error.message;
  }
}

TEST(LockStep, nobody_there_is_told) {
  const Client client = echo_client();
  const auto lock_step = LockStep::connect(kHere, 1, client);
  ASSERT_FALSE(lock_step);
  EXPECT_NE(lock_step.error().message.find("127.0.0.1:1"), std::string::npos);
}

TEST(LockStep, an_interruption_ends_it_early_and_is_no_error) {
  TruthServer server(echo);
  const Client client = echo_client();
  auto lock_step = LockStep::connect(kHere, server.port(), client);
  ASSERT_TRUE(lock_step);
  EXPECT_TRUE(lock_step->ask(100, [&] { return lock_step->answered() < 7; }));
  EXPECT_EQ(lock_step->answered(), 7u);
}

TEST(LockStep, at_the_end_it_asks_on_only_of_one_that_does_not_go) {
  const Client client = echo_client();
  std::atomic<int> messages = 0;
  TruthServer stays([&](int, std::string_view bytes) {
    return TruthServer::Reply{.bytes = std::string(bytes), .close = ++messages == 9};
  });
  auto asked_on = LockStep::connect(kHere, stays.port(), client);
  ASSERT_TRUE(asked_on && asked_on->ask(3));
  asked_on->ask_until_closed(1ms);
  EXPECT_EQ(asked_on->answered(), 9u);

  TruthServer goes([](int, std::string_view bytes) {
    return TruthServer::Reply{.bytes = std::string(bytes), .close = true};
  });
  auto gone = LockStep::connect(kHere, goes.port(), client);
  ASSERT_TRUE(gone && gone->ask(1));
  gone->ask_until_closed(10s);
  EXPECT_EQ(gone->answered(), 1u);
}

}  // namespace
}  // namespace tickmark::load
