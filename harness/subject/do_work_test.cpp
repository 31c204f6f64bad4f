#include "harness/subject/do_work.h"

#include <cerrno>
#include <filesystem>
#include <gtest/gtest.h>

namespace tickmark::subject::do_work_test {
namespace {

// RFC 7914, section 12 (the third vector needs 16 MiB, the fourth 1 GiB: left out).
TEST(DoWork, scrypt_gives_the_vectors_of_rfc_7914) {
  DeriveKey work{.function = DeriveKey::Function::kScrypt, .password = "", .salt = "", .key_bytes = 64};
  work.scrypt_n = 16, work.scrypt_r = 1, work.scrypt_p = 1;
  EXPECT_EQ(do_work(work).text,
            "77d6576238657b203b19ca42c18a0497f16b4844e3074ae8dfdffa3fede21442"
            "fcd0069ded0948f8326a753a0fc81f17e8d3e0fb2e0d3628cf35e20c38d18906");
  work.password = "password", work.salt = "NaCl";
  work.scrypt_n = 1024, work.scrypt_r = 8, work.scrypt_p = 16;
  EXPECT_EQ(do_work(work).text,
            "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162"
            "2eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640");
}

// The SHA-512 counterparts of RFC 6070's inputs, as published with several implementations.
TEST(DoWork, pbkdf2_sha512_gives_the_published_vectors) {
  DeriveKey work{.password = "password", .salt = "salt", .key_bytes = 64, .iterations = 1};
  EXPECT_EQ(do_work(work).text,
            "867f70cf1ade02cff3752599a3a53dc4af34c7a669815ae5d513554e1c8cf252"
            "c02d470a285a0501bad999bfe943c08f050235d7d68b1da55e63f73b60a57fce");
  work.iterations = 4096;
  EXPECT_EQ(do_work(work).text,
            "d197b1b33db0143e018b12f3d1d1479e6cdebdcc97c5c0f87f6902e072f457b5"
            "143f30602641b3d55cd335988cb36b84376060ecd532e039b742a239434af2d5");
}

TEST(DoWork, impossible_scrypt_parameters_are_an_error) {
  DeriveKey work{.function = DeriveKey::Function::kScrypt, .password = "", .salt = ""};
  work.scrypt_n = 3;
  EXPECT_EQ(do_work(work).error, EINVAL);
}

// FIPS 180-4's example.
TEST(DoWork, sha256_of_abc) {
  EXPECT_EQ(do_work(Digest{"abc"}).text, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(DoWork, counts_primes_as_published) {
  const std::pair<uint64_t, const char*> cases[] = {{0, "0"},         {2, "0"},         {3, "1"},
                                                    {10, "4"},        {100, "25"},      {1000, "168"},
                                                    {10'000, "1229"}, {100'000, "9592"}};
  for (const auto& [below, count] : cases) {
    EXPECT_EQ(do_work(Crunch{Crunch::Function::kPrimes, below}).text, count) << below;
  }
}

// By hand: n = 2 gives 7/128 + 10/128 + 21/128 + 36/128 = 0.578125.
TEST(DoWork, matmul_checksum_as_by_hand) {
  EXPECT_EQ(do_work(Crunch{Crunch::Function::kMatmul, 1}).text, "0000000000000000");
  EXPECT_EQ(do_work(Crunch{Crunch::Function::kMatmul, 2}).text, "3fe2800000000000");
}

class DoWorkOnFiles : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = std::filesystem::temp_directory_path() / "tickmark_do_work_XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder = name;
  }
  void TearDown() override { std::filesystem::remove_all(folder); }
  std::filesystem::path folder;
};

TEST_F(DoWorkOnFiles, what_is_written_is_read_and_replaced) {
  const std::string path = folder / "a";
  for (const bool sync : {false, true}) {
    const std::string content(sync ? 100 : 300'000, sync ? 's' : 'x');
    const WorkOutcome written = do_work(FileWrite{path, content, sync});
    EXPECT_EQ(written.error, 0);
    EXPECT_EQ(written.number, content.size());
    EXPECT_EQ(do_work(FileStat{path}).number, content.size());
    EXPECT_EQ(do_work(FileRead{path}).bytes.view(), content);
  }
}

TEST_F(DoWorkOnFiles, a_missing_file_and_a_folder_are_no_files) {
  EXPECT_EQ(do_work(FileStat{folder / "no"}).error, ENOENT);
  EXPECT_EQ(do_work(FileRead{folder / "no"}).error, ENOENT);
  EXPECT_EQ(do_work(FileStat{folder}).error, ENOENT);
  EXPECT_EQ(do_work(FileRead{folder}).error, ENOENT);
  EXPECT_EQ(do_work(FileWrite{folder, "x"}).error, EISDIR);
}

}  // namespace
}  // namespace tickmark::subject::do_work_test
