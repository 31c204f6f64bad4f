// fs, service half: stat, read and write of files in one folder, by the architecture's way of blocking I/O.

#include "harness/vocabulary/service.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fmt/format.h>

#include "workloads/parameters.h"
#include "workloads/query.h"

namespace tickmark {
namespace {

// Only plain names: what could leave the folder is not a name.
bool is_plain_name(std::string_view name) {
  if (name.empty() || name.size() > 255 || name.front() == '.') return false;
  return std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  });
}

void reply_error(Exchange& exchange, int error) {
  const bool missing = error == ENOENT || error == EISDIR || error == ENOTDIR;
  exchange.reply(missing ? 404 : 500, missing ? "no such file\n" : "the operation failed\n");
}

void reply_number(Exchange& exchange, WorkOutcome outcome) {
  if (outcome.error) return reply_error(exchange, outcome.error);
  const fmt::format_int digits(outcome.number);
  exchange.reply(200, {digits.data(), digits.size()});
}

void reply_bytes(Exchange& exchange, WorkOutcome outcome) {
  if (outcome.error) return reply_error(exchange, outcome.error);
  exchange.reply(200, outcome.bytes.view());
}

class Files final : public HttpService {
 public:
  explicit Files(std::string root) : root_(std::move(root)) {}

  void on_request(const HttpRequest& request, Exchange& exchange) const override {
    const bool get = request.method == "GET", post = request.method == "POST";
    const bool stat = get && request.path == "/fs/stat";
    const bool read = get && request.path == "/fs/read";
    const bool write = post && request.path == "/fs/write";
    if (!stat && !read && !write) return exchange.reply(404, "not found\n");
    const auto name = workloads::query_value(request.query, "file");
    if (!name) return exchange.reply(400, "file=NAME is missing\n");
    if (!is_plain_name(*name)) return exchange.reply(404, "no such file\n");
    std::string path = fmt::format("{}/{}", root_, *name);
    if (stat) return exchange.offload(FileStat{std::move(path)}, reply_number);
    if (read) return exchange.offload(FileRead{std::move(path)}, reply_bytes);
    const bool sync = workloads::query_value(request.query, "sync") == "1";
    exchange.offload(FileWrite{std::move(path), std::string(request.body), sync}, reply_number);
  }

 private:
  std::string root_;
};

}  // namespace

Expected<Service> make_service_fs(const Parameters& params) {
  if (auto ok = workloads::check_names("fs", params, {"root", "small_files", "large_files"}); !ok) {
    return std::unexpected(ok.error());
  }
  const auto root = params.find("root");
  std::error_code ignored;
  if (root == params.end() || !std::filesystem::is_directory(root->second, ignored)) {
    return usage_error(
        fmt::format("workload 'fs': parameter root={}: expected an existing folder, give --param root=DIR",
                    root == params.end() ? "" : root->second));
  }
  Service service;
  service.http = std::make_unique<Files>(root->second);
  return service;
}

}  // namespace tickmark
