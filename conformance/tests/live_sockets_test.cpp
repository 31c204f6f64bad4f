// `play --serve sockets` of native players: the runs begin when all are connected, in the loop that serves
// them.

#include <arpa/inet.h>
#include <cstdio>
#include <fstream>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sys/socket.h>

#include "conformance/tests/play_rules.h"
#include "harness/base/unique_fd.h"

namespace tickmark::conformance {
namespace {

constexpr int kConnections = 3;
constexpr unsigned kRuns = 4;
constexpr int kEnvironment = 3;  // the exit code of a subject whose options this machine refuses

UniqueFd connect_to(uint16_t port) {
  UniqueFd client(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const timeval patience{.tv_sec = 10,
                         .tv_usec = 0};  // a server that never answers must not hold the test up
  EXPECT_EQ(setsockopt(client.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience), 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  EXPECT_EQ(connect(client.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  return client;
}

std::string echo_of(const UniqueFd& client, const std::string& text) {
  EXPECT_EQ(send(client.get(), text.data(), text.size(), MSG_NOSIGNAL), static_cast<ssize_t>(text.size()));
  std::string back(text.size(), '?');
  const ssize_t size = recv(client.get(), back.data(), back.size(), MSG_WAITALL);
  back.resize(size < 0 ? 0 : static_cast<size_t>(size));
  return back;
}

unsigned count_in(const std::filesystem::path& trace, const std::string& what) {
  std::ifstream file(trace);
  unsigned lines = 0;
  for (std::string line; std::getline(file, line);) lines += line.find(what) != line.npos ? 1 : 0;
  return lines;
}

void write_scenarios(const std::filesystem::path& path, const char* timer = "timer") {
  std::ofstream(path) << nlohmann::json{
      {"schema", "tickmark.scenarios/1"},
      {"repeat", kRuns},
      {"connections", kConnections},
      {"scenarios", {{{"id", "a/b"}, {"steps", {{{"verb", timer}, {"label", "t"}, {"ms", 20}}}}}}}};
}

struct Player {
  const char* program;
  const char* options = "";  ///< what a machine may refuse
  const char* timer = "timer";
};
void PrintTo(const Player& player, std::ostream* out) { *out << player.program << player.options; }

class LiveSockets : public testing::TestWithParam<Player> {};

TEST_P(LiveSockets, are_served_before_the_runs_and_counted_and_hold_no_run_up) {
  const ScratchFolder scratch;
  const auto scenarios = scratch.path() / "scenarios.json";
  const auto trace = scratch.path() / "trace.ndjson";
  write_scenarios(scenarios, GetParam().timer);
  const std::string command = kBin + GetParam().program + " play --serve sockets --scenarios " +
                              scenarios.string() + " --trace " + trace.string() + GetParam().options;
  std::FILE* player = popen(command.c_str(), "r");
  ASSERT_NE(player, nullptr);
  char line[512] = "";
  if (!std::fgets(line, sizeof line, player)) {
    ASSERT_EQ(WEXITSTATUS(pclose(player)), kEnvironment);
    GTEST_SKIP() << "this kernel refuses" << GetParam().options;
  }
  const uint16_t port = nlohmann::json::parse(line)["ready"]["port"];
  std::vector<UniqueFd> clients;
  for (int i = 1; i < kConnections; ++i) clients.push_back(connect_to(port));
  EXPECT_EQ(echo_of(clients.front(), "anyone?"), "anyone?");
  // Who plays already turns the loop in a run only, and has begun its trace before it echoes.
  EXPECT_FALSE(std::filesystem::exists(trace)) << "one is missing";
  clients.push_back(connect_to(port));
  EXPECT_EQ(pclose(player), 0);
  EXPECT_EQ(count_in(trace, R"("finish")"), kRuns);
  EXPECT_EQ(count_in(trace, R"("begin")"), 2 * kRuns) << "main and the timer";
}

INSTANTIATE_TEST_SUITE_P(Players, LiveSockets,
                         testing::Values(Player{"player_asio", "", "steady_timer"}, Player{"player_libuv"},
                                         Player{"player_refloop"},
                                         Player{"subject_reference_loop", " --option backend=io_uring"}));

TEST(LiveSocketsInVirtualTime, are_refused_in_a_sentence) {
  const ScratchFolder scratch;
  const auto scenarios = scratch.path() / "scenarios.json";
  write_scenarios(scenarios);
  const auto done =
      run_process({kBin + "player_refloop", "play", "--serve", "sockets", "--scenarios", scenarios.string(),
                   "--trace", (scratch.path() / "trace.ndjson").string(), "--option", "time=virtual"},
                  20s);
  ASSERT_TRUE(done);
  EXPECT_EQ(done->exit_code, 2);
  EXPECT_EQ(done->stderr_tail, "option time=virtual: live sockets are real\n");
}

}  // namespace
}  // namespace tickmark::conformance
