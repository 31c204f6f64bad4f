// Each workload's client half against its service half, in memory: what one promises the other must keep.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <set>
#include <yaml-cpp/yaml.h>

#include "harness/subject/do_work.h"
#include "harness/subject/http_session.h"
#include "harness/vocabulary/workload.h"

namespace tickmark::subject::halves_test {
namespace {

// A connection in memory that works in place, as a thread per connection does.
class InPlaceConnection final : public Connection {
 public:
  void send(std::string_view bytes) override { sent += bytes; }
  void close() override { closed = true; }
  void offload(Work work, Then then) override { then(do_work(work)); }
  std::string sent;
  bool closed = false;
};

std::string ask(const HttpService& service, std::string_view request) {
  InPlaceConnection connection;
  HttpSession session(service, connection);
  session.on_bytes(request);
  return connection.sent;
}

std::string get(std::string_view target) {
  return "GET " + std::string(target) + " HTTP/1.1\r\nHost: h\r\n\r\n";
}

int status_of(const std::string& reply) { return std::stoi(reply.substr(9, 3)); }

class Halves : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = std::filesystem::temp_directory_path() / "tickmark_halves_XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder = name;
  }
  void TearDown() override { std::filesystem::remove_all(folder); }

  Expected<Client> client(std::string_view id, Parameters params = {}, std::string variant = "",
                          uint64_t seed = 1) {
    const auto entry = std::ranges::find(client_entries(), id, &ClientEntry::id);
    return entry->make({std::move(params), std::move(variant), "127.0.0.1", folder, seed});
  }
  static Expected<Service> service(std::string_view id, const Parameters& params = {}) {
    return std::ranges::find(service_entries(), id, &ServiceEntry::id)->make(params);
  }
  static YAML::Node spec(std::string_view id) {
    return YAML::LoadFile(std::string(TICKMARK_SOURCE_DIR) + "/workloads/" + std::string(id) + "/spec.yaml");
  }
  // The spec's variants, or the one without a name.
  static std::vector<std::string> variants(std::string_view id) {
    std::vector<std::string> names;
    const YAML::Node node = spec(id);
    for (const auto& variant : node["variants"]) names.push_back(variant["name"].as<std::string>());
    if (names.empty()) names.push_back("");
    return names;
  }

  std::filesystem::path folder;
};

TEST_F(Halves, tables_hold_the_folders_on_disk) {
  std::set<std::string> folders, services, clients;
  for (const auto& entry :
       std::filesystem::directory_iterator(std::string(TICKMARK_SOURCE_DIR) + "/workloads")) {
    if (entry.is_directory()) folders.insert(entry.path().filename());
  }
  for (const auto& entry : service_entries()) services.insert(std::string(entry.id));
  for (const auto& entry : client_entries()) clients.insert(std::string(entry.id));
  EXPECT_EQ(services, folders);
  EXPECT_EQ(clients, folders);
  EXPECT_TRUE(std::ranges::is_sorted(client_entries(), {}, &ClientEntry::id));
}

TEST_F(Halves, specs_tell_what_the_vocabulary_asks_for) {
  for (const auto& entry : client_entries()) {
    const YAML::Node node = spec(entry.id);
    for (const char* key : {"title", "says", "kind", "placement", "params", "variants", "not_told"}) {
      EXPECT_TRUE(node[key]) << entry.id << " " << key;
    }
    const auto made = client(entry.id);
    ASSERT_TRUE(made) << made.error().message;
    EXPECT_EQ(node["kind"].as<std::string>(), made->http ? "http" : "stream") << entry.id;
    // Every parameter of the spec is known to both halves, with its own default.
    Parameters defaults;
    for (const auto& param : node["params"]) {
      defaults[param["name"].as<std::string>()] = param["default"].as<std::string>();
    }
    EXPECT_TRUE(client(entry.id, defaults)) << entry.id;
    for (const auto& [key, value] : made->subject_params) defaults[key] = value;
    EXPECT_TRUE(service(entry.id, defaults)) << entry.id;
  }
}

TEST_F(Halves, every_reply_of_every_variant_is_the_expected_one) {
  for (const auto& entry : client_entries()) {
    for (const std::string& variant : variants(entry.id)) {
      const auto made = client(entry.id, {}, variant);
      ASSERT_TRUE(made) << entry.id << " " << variant << ": " << made.error().message;
      if (!made->http) continue;
      const auto answering = service(entry.id, made->subject_params);
      ASSERT_TRUE(answering) << answering.error().message;
      const uint64_t count = entry.id == "cpu" ? 3 : 60;
      std::string scratch;
      for (uint64_t number = 0; number < count; ++number) {
        const std::string body(made->http->expected_body(number));
        const std::string expected =
            "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
        ASSERT_TRUE(ask(*answering->http, made->http->request(number, scratch)) == expected)
            << entry.id << " " << variant << " " << made->http->request(number, scratch).substr(0, 100);
      }
    }
  }
}

TEST_F(Halves, requests_are_a_pure_function_of_seed_and_number) {
  const auto one = client("crypto", {}, "", 7), same = client("crypto", {}, "", 7),
             other = client("crypto", {}, "", 8);
  ASSERT_TRUE(one && same && other);
  std::string scratch;
  std::set<std::string> distinct;
  int differ = 0;
  for (uint64_t number = 200; number-- > 0;) {
    EXPECT_EQ(one->http->request(number, scratch), same->http->request(number, scratch));
    differ += one->http->request(number, scratch) != other->http->request(number, scratch);
    distinct.insert(std::string(one->http->request(number, scratch)));
  }
  EXPECT_GT(differ, 100);
  EXPECT_GT(distinct.size(), 20u);
}

TEST_F(Halves, echoed_messages_are_numbered_and_filled_as_documented) {
  const auto made = client("sockets", {{"size", "300"}});
  ASSERT_TRUE(made);
  std::vector<std::byte> message(300), reply(300);
  const uint64_t number = 0x0102030405060708;
  made->stream->message(number, message);
  made->stream->expected_reply(number, reply);
  EXPECT_EQ(message, reply);
  for (size_t i = 0; i < 8; ++i) EXPECT_EQ(message[i], static_cast<std::byte>(8 - i));
  for (size_t i = 8; i < 300; ++i)
    EXPECT_EQ(message[i], static_cast<std::byte>((number * 31 + i) & 0xff)) << i;

  const auto echo = service("sockets");
  InPlaceConnection connection;
  echo->stream->on_bytes(connection, "some bytes");
  EXPECT_EQ(connection.sent, "some bytes");
  echo->stream->on_end(connection);
  EXPECT_TRUE(connection.closed);
}

TEST_F(Halves, wrong_requests_have_the_documented_status) {
  std::ofstream(folder / "here") << "x";
  std::ofstream(folder / ".hidden") << "x";
  std::filesystem::create_directory(folder / "inner");
  const std::tuple<const char*, const char*, int> cases[] = {
      {"hello", "/hello", 200},
      {"hello", "/", 404},
      {"fs", "/fs/stat?file=here", 200},
      {"fs", "/fs/stat?file=gone", 404},
      {"fs", "/fs/read?file=gone", 404},
      {"fs", "/fs/read?file=inner", 404},
      {"fs", "/fs/stat?file=../here", 404},
      {"fs", "/fs/stat?file=..", 404},
      {"fs", "/fs/stat?file=/etc/passwd", 404},
      {"fs", "/fs/stat?file=inner/../here", 404},
      {"fs", "/fs/stat?file=.hidden", 404},
      {"fs", "/fs/stat?file=%68ere", 404},
      {"fs", "/fs/stat?file=", 404},
      {"fs", "/fs/stat", 400},
      {"fs", "/fs/stat?afile=here", 400},
      {"fs", "/fs/write?file=here", 404},  // not with GET
      {"fs", "/fs/remove?file=here", 404},
      {"crypto", "/crypto/md5", 404},
      {"crypto", "/crypto/sha256?block=7", 200},
      {"crypto", "/crypto/sha256?block=8", 400},
      {"crypto", "/crypto/sha256?block=-1", 400},
      {"crypto", "/crypto/sha256?block=1x", 400},
      {"crypto", "/crypto/sha256", 400},
      {"crypto", "/crypto/pbkdf2?password=&salt=&iterations=1&bytes=1", 200},
      {"crypto", "/crypto/pbkdf2?password=p&salt=s&iterations=0&bytes=1", 400},
      {"crypto", "/crypto/pbkdf2?password=p&salt=s&bytes=1", 400},
      {"crypto", "/crypto/scrypt?password=p&salt=s&n=16&r=1&p=1&bytes=1", 200},
      {"crypto", "/crypto/scrypt?password=p&salt=s&n=15&r=1&p=1&bytes=1", 400},
      {"cpu", "/cpu/primes?below=10&mode=inline", 200},
      {"cpu", "/cpu/primes?below=10&mode=offload", 200},
      {"cpu", "/cpu/primes?below=10", 400},
      {"cpu", "/cpu/primes?below=10&mode=later", 400},
      {"cpu", "/cpu/primes?mode=inline", 400},
      {"cpu", "/cpu/matmul?n=2&mode=inline", 200},
      {"cpu", "/cpu/matmul?n=99999999&mode=inline", 400},
      {"cpu", "/cpu/sort?n=2&mode=inline", 404}};
  for (const auto& [id, target, status] : cases) {
    const Parameters params = std::string_view(id) == "fs" ? Parameters{{"root", folder}} : Parameters{};
    const auto answering = service(id, params);
    ASSERT_TRUE(answering) << answering.error().message;
    EXPECT_EQ(status_of(ask(*answering->http, get(target))), status) << target;
  }
}

TEST_F(Halves, a_written_file_holds_the_body) {
  const auto answering = service("fs", {{"root", folder}});
  ASSERT_TRUE(answering);
  const std::string reply =
      ask(*answering->http,
          "POST /fs/write?file=new&sync=1 HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhallo");
  EXPECT_EQ(reply, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n5");
  EXPECT_EQ(do_work(FileRead{folder / "new"}).bytes.view(), "hallo");
}

TEST_F(Halves, wrong_parameters_are_usage_errors_that_name_them) {
  for (const auto& entry : client_entries()) {
    for (const auto& error :
         {client(entry.id, {{"wrong", "1"}}).error(), client(entry.id, {}, "wrong").error(),
          entry.id == "fs" ? service("fs", {{"root", folder}, {"wrong", "1"}}).error()
                           : service(entry.id, {{"wrong", "1"}}).error()}) {
      EXPECT_EQ(error.kind, ErrorKind::kUsage);
      EXPECT_NE(error.message.find("'wrong'"), std::string::npos) << error.message;
      EXPECT_NE(error.message.find("'" + std::string(entry.id) + "'"), std::string::npos) << error.message;
    }
  }
  const std::tuple<const char*, const char*, const char*> values[] = {
      {"sockets", "size", "7"},        {"sockets", "size", "many"},   {"crypto", "scrypt_n", "1000"},
      {"crypto", "iterations", "0"},   {"cpu", "primes_below", "-3"}, {"cpu", "matmul_n", "5000"},
      {"fs", "small_files", "100000"}, {"fs", "large_files", ""}};
  for (const auto& [id, name, value] : values) {
    const auto made = client(id, {{name, value}});
    ASSERT_FALSE(made) << id << " " << name << "=" << value;
    EXPECT_NE(made.error().message.find(std::string(name) + "=" + value), std::string::npos)
        << made.error().message;
  }
  EXPECT_FALSE(service("fs"));
  EXPECT_FALSE(service("fs", {{"root", folder / "gone"}}));
}

}  // namespace
}  // namespace tickmark::subject::halves_test
