#include <algorithm>
#include <array>
#include <cstdio>
#include <future>
#include <gtest/gtest.h>
#include <string>

#include "reference-loop/crypto/crypto_request.h"
#include "reference-loop/test_log.h"
#include "reference-loop/test_loop.h"

namespace refloop {
namespace {

std::string hex(Bytes bytes) {
  std::string text;
  for (const std::byte byte : bytes) {
    char digits[3];
    std::snprintf(digits, sizeof(digits), "%02x", static_cast<unsigned>(byte));
    text += digits;
  }
  return text;
}

// Of "abc": FIPS 180-2, appendix B.
constexpr const char* kSha256OfAbc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

struct CryptoTest : ::testing::Test {
  std::unique_ptr<Loop> loop = make_loop({.pool_size = 1});
  CryptoRequest request{*loop};
  Error outcome = Error::busy;

  void SetUp() override { request.data = this; }
  static void keep(CryptoRequest& self, Error error) { static_cast<CryptoTest*>(self.data)->outcome = error; }
};

TEST_F(CryptoTest, digests_on_the_pool) {
  request.digest("sha256", as_bytes("abc"), keep);
  EXPECT_EQ(outcome, Error::busy) << "never inside the call";
  loop->run();
  EXPECT_EQ(outcome, Error::none);
  EXPECT_EQ(hex(request.digest().bytes()), kSha256OfAbc);
}

TEST_F(CryptoTest, digests_piece_by_piece) {
  auto hash = crypto::Hash::create("sha256").value();
  for (const char* piece : {"a", "", "bc"}) {
    request.update(hash, as_bytes(piece), keep);
    loop->run();
    EXPECT_EQ(outcome, Error::none);
  }
  EXPECT_EQ(hex(hash.finish()->bytes()), kSha256OfAbc);
  EXPECT_EQ(hash.finish().error(), Error::bad_state);
  EXPECT_EQ(hash.update(as_bytes("d")).error(), Error::bad_state);
}

// RFC 7914, section 11.
TEST_F(CryptoTest, derives_keys_by_pbkdf2) {
  std::array<std::byte, 64> key;
  request.pbkdf2("sha256", as_bytes("passwd"), as_bytes("salt"), 1, key, keep);
  loop->run();
  EXPECT_EQ(outcome, Error::none);
  EXPECT_EQ(hex(key),
            "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc"
            "49ca9cccf179b645991664b39d77ef317c71b845b1e30bd509112041d3a19783");
}

// RFC 7914, section 12.
TEST_F(CryptoTest, derives_keys_by_scrypt) {
  std::array<std::byte, 64> key;
  request.scrypt(as_bytes("password"), as_bytes("NaCl"), {.cost = 1024, .block_size = 8, .parallelism = 16},
                 key, keep);
  loop->run();
  EXPECT_EQ(outcome, Error::none);
  EXPECT_EQ(hex(key),
            "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162"
            "2eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640");
}

TEST_F(CryptoTest, random_bytes_differ) {
  std::array<std::byte, 32> first{};
  std::array<std::byte, 32> second{};
  request.random(first, keep);
  loop->run();
  EXPECT_EQ(outcome, Error::none);
  request.random(second, keep);
  loop->run();
  EXPECT_NE(first, second);
}

TEST_F(CryptoTest, refuses_what_makes_no_sense) {
  std::array<std::byte, 16> key;
  request.digest("sha257", {}, keep);
  loop->run();
  EXPECT_EQ(outcome, Error::not_supported);
  request.pbkdf2("sha256", as_bytes("p"), as_bytes("s"), 0, key, keep);
  loop->run();
  EXPECT_EQ(outcome, Error::bad_state);
  request.scrypt(as_bytes("p"), as_bytes("s"), {.cost = 1000}, key, keep);
  loop->run();
  EXPECT_EQ(outcome, Error::bad_state) << "not a power of two";
  request.scrypt(as_bytes("p"), as_bytes("s"), {.cost = 1 << 20}, key, keep);
  loop->run();
  EXPECT_EQ(outcome, Error::bad_state) << "more memory than allowed";
}

TEST_F(CryptoTest, what_waits_behind_another_job_can_be_canceled) {
  if (is_simulated()) GTEST_SKIP() << "it blocks a real thread";
  std::array<std::byte, 32> key;
  std::promise<void> started;
  std::promise<void> gate;
  loop->pool().submit(
      [&] {
        started.set_value();
        gate.get_future().wait();
      },
      nullptr);
  started.get_future().wait();
  request.random(key, keep);
  EXPECT_TRUE(request.cancel());
  gate.set_value();
  loop->run();
  EXPECT_EQ(outcome, Error::canceled);
}

}  // namespace
}  // namespace refloop
