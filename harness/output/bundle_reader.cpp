#include "harness/output/bundle_reader.h"

#include <charconv>
#include <fmt/format.h>
#include <fstream>
#include <sstream>

namespace tickmark::output {
namespace {

namespace fs = std::filesystem;

constexpr int kMajor = 1;

Expected<void> check_schema(const Json& document, std::string_view schema, std::string_view where) {
  const std::string text = text_at(document, "schema");
  const size_t slash = text.find('/');
  if (!document.is_object() || slash == std::string::npos || text.substr(0, slash) != schema) {
    return usage_error(fmt::format("{}: expected an object with schema {}/{}, found schema '{}'", where,
                                   schema, kMajor, text));
  }
  int major = 0;
  const char* end = text.data() + text.size();
  const auto [rest, failure] = std::from_chars(text.data() + slash + 1, end, major);
  if (failure != std::errc{} || major != kMajor || (rest != end && *rest != '.')) {
    return usage_error(
        fmt::format("{}: schema '{}' is of a major version this tickmark does not know "
                    "(it reads {}/{}); use the tickmark that wrote it",
                    where, text, schema, kMajor));
  }
  return {};
}

Expected<std::string> read_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  if (in) text << in.rdbuf();
  if (!in || in.bad()) {
    return usage_error(fmt::format("cannot read {}; name a folder that 'tickmark run' wrote", path.string()));
  }
  return std::move(text).str();
}

/// A document that may be missing: null then.
Expected<Json> read_optional(const fs::path& path, std::string_view schema) {
  std::error_code failure;
  if (!fs::exists(path, failure)) return Json{};
  auto text = read_file(path);
  if (!text) return std::unexpected(text.error());
  return parse_document(*text, schema, path.string());
}

Expected<std::vector<Json>> read_line_file(const fs::path& path, std::string_view schema,
                                           std::vector<std::string>& notes) {
  std::error_code failure;
  if (!fs::exists(path, failure)) return std::vector<Json>{};
  auto text = read_file(path);
  // An empty file is one whose writer died between open and the first line.
  if (!text && fs::is_regular_file(path, failure) && fs::file_size(path, failure) == 0)
    return std::vector<Json>{};
  if (!text) return std::unexpected(text.error());
  return parse_lines(*text, schema, path.string(), notes);
}

}  // namespace

Expected<Json> parse_document(std::string_view text, std::string_view schema, std::string_view name) {
  Json document = Json::parse(text, nullptr, false);
  if (document.is_discarded()) {
    return usage_error(fmt::format("{} is not valid JSON; the bundle is damaged", name));
  }
  if (auto known = check_schema(document, schema, name); !known) return std::unexpected(known.error());
  return document;
}

Expected<std::vector<Json>> parse_lines(std::string_view text, std::string_view schema, std::string_view name,
                                        std::vector<std::string>& notes) {
  std::vector<Json> records;
  for (int line = 1; !text.empty(); ++line) {
    const size_t end = text.find('\n');
    if (end == std::string_view::npos) {
      notes.push_back(fmt::format(
          "{}: the incomplete last line ({} bytes) was dropped; its writer was stopped", name, text.size()));
      break;
    }
    Json record = Json::parse(text.substr(0, end), nullptr, false);
    const std::string where = fmt::format("{} line {}", name, line);
    if (record.is_discarded()) {
      return usage_error(fmt::format("{} is not valid JSON; the bundle is damaged", where));
    }
    if (auto known = check_schema(record, schema, where); !known) return std::unexpected(known.error());
    records.push_back(std::move(record));
    text.remove_prefix(end + 1);
  }
  return records;
}

Expected<Bundle> read_bundle(const fs::path& folder) {
  Bundle bundle;
  bundle.folder = folder;
  std::error_code failure;
  if (!fs::is_directory(folder, failure)) {
    return usage_error(fmt::format("{} is no folder; expected a result bundle as 'tickmark run' writes it",
                                   folder.string()));
  }
  if (!fs::is_regular_file(folder / "plan.json", failure)) {
    return usage_error(fmt::format(
        "{} is no result bundle: it has no plan.json; name the folder that 'tickmark run' printed",
        folder.string()));
  }
  auto load = [&](const char* file, std::string_view schema, Json& into) -> Expected<void> {
    auto document = read_optional(folder / file, schema);
    if (!document) return std::unexpected(document.error());
    into = std::move(*document);
    return {};
  };
  auto load_lines = [&](const char* file, std::string_view schema,
                        std::vector<Json>& into) -> Expected<void> {
    auto records = read_line_file(folder / file, schema, bundle.notes);
    if (!records) return std::unexpected(records.error());
    into = std::move(*records);
    return {};
  };
  Expected<void> ok = load("plan.json", kPlanSchema, bundle.plan);
  if (ok) ok = load("machine.json", kMachineSchema, bundle.machine);
  if (ok) ok = load_lines("trials.ndjson", kTrialSchema, bundle.trials);
  if (ok) ok = load_lines("conformance.ndjson", kVerdictSchema, bundle.verdicts);
  if (ok) ok = load("analysis.json", kAnalysisSchema, bundle.analysis);
  if (ok) ok = load("end.json", kEndSchema, bundle.end);
  if (!ok) return std::unexpected(ok.error());
  if (bundle.end.is_null()) {
    bundle.notes.push_back(fmt::format("{}: no end.json; the run did not finish, {} trials were kept",
                                       folder.string(), bundle.trials.size()));
  }
  return bundle;
}

}  // namespace tickmark::output
