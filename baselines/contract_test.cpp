// DESIGN.md's contract "a subject is a process", asked of every C++ subject as a process, over loopback.

#include <algorithm>
#include <filesystem>
#include <gtest/gtest.h>
#include <iterator>
#include <nlohmann/json.hpp>
#include <signal.h>
#include <sstream>
#include <sys/socket.h>

#include "baselines/test_subject.h"
#include "harness/vocabulary/workload.h"

namespace tickmark {
namespace {

using nlohmann::json;

/// One subject with options, as the suite's ids write it: `cluster:share=handoff,workers=3`.
#ifdef __SANITIZE_ADDRESS__
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif

struct Configuration {
  std::string name;
  std::vector<std::string> options;
  bool same_code = false;  ///< as other rows run: left out where a sanitizer watches the code, slowly
};
void PrintTo(const Configuration& configuration, std::ostream* out) { *out << configuration.name; }

const Configuration kConfigurations[] = {{"raw_epoll", {}},
                                         {"raw_io_uring", {}},
                                         {"thread_per_connection", {}},
                                         {"asio", {}},
                                         {"asio", {"pool=1"}, true},
                                         {"libuv", {}},
                                         {"libuv", {"write=queue", "pool=1"}, true},
                                         {"libuv_modern", {}},
                                         {"reference_loop", {}},
                                         {"reference_loop", {"pool=1"}, true},
                                         {"reference_loop", {"backend=io_uring"}},
                                         {"reference_loop", {"backend=io_uring", "files=ring"}},
                                         {"reference_loop", {"backend=auto"}, true},
                                         {"cluster", {}, true},
                                         {"cluster", {"workers=3", "share=reuseport"}},
                                         {"cluster", {"workers=3", "share=handoff"}}};

/// The subjects that were built: libuv_modern is not where its runtime was not fetched.
std::vector<std::string> built_subjects() {
  std::string listed = TICKMARK_SUBJECTS;
  std::ranges::replace(listed, ',', ' ');
  std::istringstream names(listed);
  return {std::istream_iterator<std::string>(names), {}};
}

std::vector<Configuration> configurations() {
  const auto built = built_subjects();
  std::vector<Configuration> of_built;
  std::ranges::copy_if(kConfigurations, std::back_inserter(of_built), [&](const Configuration& one) {
    return std::ranges::count(built, "subject_" + one.name) > 0 && !(kSanitized && one.same_code);
  });
  return of_built;
}

std::string reply_to(std::string_view body) {
  return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

class Contract : public ::testing::TestWithParam<Configuration> {
 protected:
  void SetUp() override {
    std::string name = std::filesystem::temp_directory_path() / "tickmark_contract_XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
    description_ = json::parse(run_program({program(), "describe"}).out);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  static std::string program() {
    return std::string(TICKMARK_SUBJECT_FOLDER) + "/subject_" + GetParam().name;
  }

  std::vector<std::string> serve_words(const std::string& workload) const {
    std::vector<std::string> words = {program(), "serve", "--workload", workload};
    for (const std::string& option : GetParam().options) words.insert(words.end(), {"--option", option});
    if (workload == "fs") words.insert(words.end(), {"--param", "root=" + folder_.string()});
    return words;
  }

  std::vector<std::string> workloads() const {
    return description_["workloads"].get<std::vector<std::string>>();
  }

  /// The client half, with work small enough for a test under sanitizers.
  Client client(const std::string& workload, const std::string& variant = "") const {
    static const std::map<std::string, Parameters> kSmall = {
        {"crypto", {{"iterations", "20"}, {"scrypt_n", "16"}}},
        {"cpu", {{"primes_below", "5000"}, {"matmul_n", "20"}}}};
    const auto small = kSmall.find(workload);
    const auto entry = std::ranges::find(client_entries(), workload, &ClientEntry::id);
    auto made =
        entry->make({small == kSmall.end() ? Parameters{} : small->second, variant, "127.0.0.1", folder_, 1});
    EXPECT_TRUE(made) << made.error().message;
    return std::move(*made);
  }

  std::filesystem::path folder_;
  json description_;
};

/// A subject that serves, its port known.
class Serving {
 public:
  explicit Serving(const std::vector<std::string>& words) : subject_(words) {
    const std::string line = subject_.read_line();
    ready_ = json::parse(line, nullptr, false);
    EXPECT_TRUE(ready_.is_object() && ready_.contains("ready")) << "'" << line << "'";
  }
  uint16_t port() const { return ready_["ready"]["port"].get<uint16_t>(); }
  const json& ready() const { return ready_["ready"]; }
  TestSubject& subject() { return subject_; }

  /// Waits for its end, which must be in order; the final counters.
  json finish() {
    const Outcome outcome = subject_.wait();
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    EXPECT_EQ(outcome.err, "");
    const json final = json::parse(outcome.out, nullptr, false);
    EXPECT_TRUE(final.is_object() && final.contains("final")) << outcome.out;
    return final.is_object() ? final["final"] : json();
  }
  json stop() {
    subject_.close_stdin();
    return finish();
  }

 private:
  TestSubject subject_;
  json ready_;
};

TEST_P(Contract, describes_itself) {
  EXPECT_EQ(description_["name"], GetParam().name);
  EXPECT_FALSE(description_["workloads"].empty());
  EXPECT_EQ(description_["versions"]["compiler"].get<std::string>().substr(0, 3), "g++");
  EXPECT_TRUE(description_["features"].is_array());
  for (const std::string& option : GetParam().options) {
    EXPECT_TRUE(description_["options"].contains(option.substr(0, option.find('=')))) << option;
  }
}

TEST_P(Contract, the_ready_line_says_where) {
  Serving serving(serve_words("sockets"));
  EXPECT_EQ(serving.ready()["address"], "127.0.0.1");
  EXPECT_EQ(serving.ready()["pid"], serving.subject().pid());
  EXPECT_GE(serving.ready()["workers"], 1);
  const UniqueFd fd = connect_to(serving.port());
  ASSERT_TRUE(send_all(fd.get(), "here"));
  EXPECT_EQ(receive(fd.get(), 4), "here");
  EXPECT_EQ(serving.stop()["connections"], 1);
}

// Four connections, requests pipelined by five on each.
TEST_P(Contract, serves_every_workload_byte_by_byte_and_counts) {
  for (const std::string& workload : workloads()) {
    const Client half = client(workload);
    if (!half.http) continue;
    Serving serving(serve_words(workload));
    uint64_t number = 0;
    std::string scratch;
    for (int round = 0; round < 2; ++round) {
      std::vector<UniqueFd> connections;
      std::vector<std::string> expected(4);
      for (std::string& replies : expected) {
        std::string requests;
        for (int i = 0; i < 5; ++i, ++number) {
          requests += half.http->request(number, scratch);
          replies += reply_to(half.http->expected_body(number));
        }
        connections.push_back(connect_to(serving.port()));
        ASSERT_TRUE(send_all(connections.back().get(), requests));
      }
      for (size_t i = 0; i < connections.size(); ++i) {
        ASSERT_TRUE(receive(connections[i].get(), expected[i].size()) == expected[i]) << workload << " " << i;
      }
    }
    const json final = serving.stop();
    EXPECT_EQ(final["requests"], number) << workload;
    EXPECT_EQ(final["connections"], 8) << workload;
  }
}

TEST_P(Contract, echoes_numbered_messages_and_counts) {
  const Client half = client("sockets");
  Serving serving(serve_words("sockets"));
  const UniqueFd fd = connect_to(serving.port());
  std::string message(half.stream->message_bytes(), '\0');
  for (uint64_t number = 0; number < 200; ++number) {
    half.stream->message(number, std::as_writable_bytes(std::span(message)));
    ASSERT_TRUE(send_all(fd.get(), message));
    std::string expected(message.size(), '\0');
    half.stream->expected_reply(number, std::as_writable_bytes(std::span(expected)));
    ASSERT_EQ(receive(fd.get(), message.size()), expected);
  }
  EXPECT_EQ(serving.stop()["bytes"], 200 * message.size());
}

// More than all socket buffers hold: replies must wait for a slow reader, and still come after the
// half-close.
TEST_P(Contract, echoes_megabytes_to_a_half_closed_peer_and_then_closes) {
  Serving serving(serve_words("sockets"));
  std::string bytes(24 << 20, '\0');
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 2654435761u >> 13);
  const UniqueFd fd = connect_to(serving.port());
  EXPECT_TRUE(converse(fd.get(), bytes) == bytes);
  EXPECT_EQ(serving.stop()["bytes"], bytes.size());
}

TEST_P(Contract, answers_all_pipelined_requests_of_a_half_closed_peer) {
  if (!std::ranges::count(workloads(), "fs")) GTEST_SKIP() << "speaks sockets only";
  const Client half = client("fs", "read_1m");
  Serving serving(serve_words("fs"));
  std::string requests, expected, scratch;
  for (uint64_t number = 0; number < 8; ++number) {
    requests += half.http->request(number, scratch);
    expected += reply_to(half.http->expected_body(number));
  }
  EXPECT_TRUE(converse(connect_to(serving.port()).get(), requests) == expected);
  EXPECT_EQ(serving.stop()["requests"], 8);
}

TEST_P(Contract, wrong_requests_are_answered_and_bad_ones_refused) {
  if (!std::ranges::count(workloads(), "fs")) GTEST_SKIP() << "speaks sockets only";
  Serving serving(serve_words("fs"));
  const std::string traversal = converse(connect_to(serving.port()).get(),
                                         "GET /fs/read?file=../../etc/passwd HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_TRUE(traversal.starts_with("HTTP/1.1 404 Not Found\r\n")) << traversal;
  // The rest of what a refused client sends must not reset the refusal away.
  const std::string refused =
      converse(connect_to(serving.port()).get(), "nonsense\r\n\r\n" + std::string(100'000, 'x'));
  EXPECT_TRUE(refused.starts_with("HTTP/1.1 400 Bad Request\r\n")) << refused;
  serving.stop();
}

TEST_P(Contract, serves_200_connections_at_once) {
  Serving serving(serve_words("sockets"));
  std::vector<UniqueFd> connections;
  for (int i = 0; i < 200; ++i) {
    connections.push_back(connect_to(serving.port()));
    ASSERT_TRUE(connections.back()) << i;
    ASSERT_TRUE(send_all(connections.back().get(), "message " + std::to_string(1000 + i)));
  }
  for (int i = 0; i < 200; ++i) {
    EXPECT_EQ(receive(connections[static_cast<size_t>(i)].get(), 12), "message " + std::to_string(1000 + i));
  }
  EXPECT_EQ(serving.stop()["connections"], 200);
}

TEST_P(Contract, a_connection_reset_by_its_peer_harms_no_other) {
  Serving serving(serve_words("sockets"));
  const UniqueFd witness = connect_to(serving.port());
  for (int i = 0; i < 20; ++i) {
    const UniqueFd rude = connect_to(serving.port());
    ASSERT_TRUE(send_all(rude.get(), std::string(100'000, 'x')));
    const linger reset{1, 0};
    ::setsockopt(rude.get(), SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  }
  ASSERT_TRUE(send_all(witness.get(), "still here"));
  EXPECT_EQ(receive(witness.get(), 10), "still here");
  serving.stop();
}

TEST_P(Contract, sigterm_ends_it_with_connections_open) {
  Serving serving(serve_words("sockets"));
  std::vector<UniqueFd> connections;
  for (int i = 0; i < 50; ++i) {
    connections.push_back(connect_to(serving.port()));
    ASSERT_TRUE(send_all(connections.back().get(), "x"));
    ASSERT_EQ(receive(connections.back().get(), 1), "x");
  }
  ::kill(serving.subject().pid(), SIGTERM);
  const json final = serving.finish();
  EXPECT_EQ(final["connections"], 50);
  EXPECT_EQ(final["bytes"], 50);
  for (const UniqueFd& fd : connections) EXPECT_EQ(receive_all(fd.get()), "");
}

// Ten seconds of work are under way; the contract says two, and the machine may be slow.
TEST_P(Contract, ends_in_time_although_work_is_outstanding) {
  if (!std::ranges::count(workloads(), "cpu")) GTEST_SKIP() << "speaks sockets only";
  Serving serving(serve_words("cpu"));
  const UniqueFd fd = connect_to(serving.port());
  std::string requests = "GET /cpu/primes?below=10&mode=inline HTTP/1.1\r\nHost: h\r\n\r\n";
  ASSERT_TRUE(send_all(fd.get(), requests));
  ASSERT_EQ(receive(fd.get(), reply_to("4").size()), reply_to("4"));
  for (int i = 0; i < 8; ++i) {
    ASSERT_TRUE(
        send_all(fd.get(), "GET /cpu/primes?below=10000000&mode=offload HTTP/1.1\r\nHost: h\r\n\r\n"));
  }
  const Nanos start = now();
  serving.subject().close_stdin();
  const Outcome outcome = serving.subject().wait();
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_LT(seconds(now() - start), 10);
}

TEST_P(Contract, bad_input_is_one_sentence_and_exit_2) {
  const std::vector<std::string> good = serve_words("sockets");
  std::vector<std::vector<std::string>> bad = {
      {program()},
      {program(), "dance"},
      {program(), "serve"},
      {program(), "serve", "--workload", "dns"},
      {program(), "serve", "--workload", "sockets", "--colour", "red"}};
  for (const std::vector<std::string>& more : {std::vector<std::string>{"--option", "wrong=1"},
                                               {"--param", "wrong=1"},
                                               {"--address", "nowhere"},
                                               {"--port", "99999"}}) {
    bad.push_back(good);
    bad.back().insert(bad.back().end(), more.begin(), more.end());
  }
  for (const auto& [option, value] : description_["options"].items()) {
    bad.push_back({program(), "serve", "--workload", "sockets", "--option", option + "=nonsense"});
  }
  for (const std::vector<std::string>& words : bad) {
    const Outcome outcome = run_program(words);
    EXPECT_EQ(outcome.exit_code, 2) << words.back();
    EXPECT_EQ(outcome.out, "") << words.back();
    EXPECT_EQ(std::ranges::count(outcome.err, '\n'), 1) << words.back() << ": " << outcome.err;
  }
}

TEST_P(Contract, a_port_in_use_is_exit_3) {
  Serving serving(serve_words("sockets"));
  std::vector<std::string> words = serve_words("sockets");
  words.insert(words.end(), {"--port", std::to_string(serving.port())});
  const Outcome outcome = run_program(words);
  EXPECT_EQ(outcome.exit_code, 3) << outcome.err;
  EXPECT_NE(outcome.err.find(std::to_string(serving.port())), std::string::npos) << outcome.err;
  serving.stop();
}

INSTANTIATE_TEST_SUITE_P(Subjects, Contract, ::testing::ValuesIn(configurations()), [](const auto& one) {
  std::string name = one.param.name;
  for (const std::string& option : one.param.options) name += "_" + option;
  std::ranges::replace(name, '=', '_');
  return name;
});

TEST(Baselines, every_folder_with_a_cmake_file_that_makes_a_subject_is_tested) {
  const auto built = built_subjects();
  for (const std::string& name : built) {
    EXPECT_TRUE(std::ranges::any_of(kConfigurations, [&](const auto& one) {
      return "subject_" + one.name == name;
    })) << name;
  }
  EXPECT_GE(built.size(), 5u);
}

}  // namespace
}  // namespace tickmark
