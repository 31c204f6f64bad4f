// Runs each example as its reader would, and looks at what it says.
#include <arpa/inet.h>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <string>
#include <sys/socket.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#include "reference-loop/async.h"
#include "reference-loop/http/http_server.h"
#include "reference-loop/tls/test_certificates.h"

namespace refloop {
namespace {

struct Outcome {
  int status = -1;
  std::string output;
};

Outcome run(const std::string& command) {
  FILE* pipe = popen((EXAMPLES + command + " 2>&1").c_str(), "r");
  Outcome outcome;
  char piece[4096];
  for (std::size_t size; (size = fread(piece, 1, sizeof(piece), pipe)) > 0;)
    outcome.output.append(piece, size);
  outcome.status = WEXITSTATUS(pclose(pipe));
  return outcome;
}

struct ExamplesTest : ::testing::Test {
  std::string folder = std::filesystem::temp_directory_path() / "refloop_examples_XXXXXX";
  void SetUp() override { ASSERT_NE(mkdtemp(folder.data()), nullptr); }
  void TearDown() override { std::filesystem::remove_all(folder); }
  std::string write(const std::string& name, const std::string& content) {
    std::ofstream(folder + "/" + name, std::ios::binary) << content;
    return folder + "/" + name;
  }
};

TEST_F(ExamplesTest, a_timer_ticks_three_times) {
  EXPECT_EQ(run("timer").output, "tick, 2 to go\ntick, 1 to go\ntick, 0 to go\nnothing left to do\n");
}

TEST_F(ExamplesTest, a_file_is_copied) {
  std::string content;
  for (int i = 0; i < 50'000; ++i) content += std::to_string(i) + ",";
  const std::string source = write("source", content);
  const Outcome outcome = run("file_copy " + source + " " + folder + "/target");
  EXPECT_EQ(outcome.output, std::to_string(content.size()) + " bytes copied: Success\n");
  std::ifstream target(folder + "/target", std::ios::binary);
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(target), {}), content);
  EXPECT_EQ(run("file_copy " + folder + "/missing " + folder + "/target").status, 1);
}

TEST_F(ExamplesTest, an_echo_server_echoes) {
  int output[2];
  ASSERT_EQ(pipe(output), 0);
  const pid_t pid = fork();
  if (pid == 0) {
    dup2(output[1], STDOUT_FILENO);
    execl(EXAMPLES "echo_server", "echo_server", nullptr);
    _exit(127);
  }
  close(output[1]);
  FILE* said = fdopen(output[0], "r");
  int port = 0;
  ASSERT_EQ(fscanf(said, "listening on port %d", &port), 1);
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  char echo[6] = {};
  ASSERT_EQ(send(fd, "hello", 5, 0), 5);
  EXPECT_EQ(recv(fd, echo, 5, MSG_WAITALL), 5);
  EXPECT_STREQ(echo, "hello");
  close(fd);
  kill(pid, SIGTERM);
  waitpid(pid, nullptr, 0);
  fclose(said);
}

TEST_F(ExamplesTest, an_https_request_is_answered_and_a_stranger_refused) {
  const TestPki& pki = TestPki::instance();
  const auto context = TlsContext::server(pki.server.options()).value();
  const auto loop = Loop::create().value();
  HttpServer server(*loop, {.tls = &context},
                    [](HttpExchange& exchange, const http_parser::Request& request) {
                      exchange.reply(200, "you asked for " + std::string(request.target) + "\n");
                    });
  ASSERT_TRUE(server.listen(Address::parse("127.0.0.1", 0).value()));
  const std::string origin = "https://localhost:" + std::to_string(server.local_address()->port());
  Async stop(*loop, [](Async& async) {
    static_cast<HttpServer*>(async.data)->abort();
    async.close();
  });
  stop.data = &server;
  std::thread serving([&] { loop->run(); });
  const std::string trusted = write("trusted.pem", pki.authority.certificate_pem);
  const Outcome known = run("https_request '" + origin + "/a?b=c' " + trusted);
  EXPECT_EQ(known.output, "200\nyou asked for /a?b=c\n");
  const Outcome stranger = run("https_request " + origin + "/");
  EXPECT_EQ(stranger.status, 1);
  EXPECT_EQ(
      stranger.output,
      "https_request: the certificate that answers for localhost was issued by somebody this context does "
      "not trust: /CN=Test Authority\n");
  EXPECT_EQ(run("https_request ftp://x/").output,
            "https_request: the URL's scheme is neither http nor https\n");
  stop.send();
  serving.join();
}

}  // namespace
}  // namespace refloop
