#include "conformance/programs/file.h"

#include <algorithm>
#include <fmt/format.h>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

namespace tickmark::programs {
namespace {

using nlohmann::json;

constexpr std::string_view kProgramSchema = "tickmark.programs/1";
constexpr std::string_view kRunSchema = "tickmark.runs/1";

json body_of(const Program& program, Label of) {
  json body = json::array();
  program.each_in_body(of, [&](Label label) {
    const Action& action = program[label];
    json one{{"do", name_of(action.verb)}, {"label", label}};
    if (action.ms != 0) one["ms"] = action.ms;
    if (action.count > 1) one["count"] = action.count;
    if (action.target != 0) one["of"] = action.target;
    if (action.first != 0) one["then"] = body_of(program, label);
    body.push_back(std::move(one));
  });
  return body;
}

json document_of(const Program& program) { return {{"id", program.id}, {"steps", body_of(program, kMain)}}; }

struct Placed {
  Label label;
  Label parent;
  Action action;
};

Expected<void> collect(const json& body, Label parent, std::vector<Placed>& placed) {
  for (const json& one : body) {
    const std::string name = one.at("do");
    const Verb* verb = find_verb(name);
    if (verb == nullptr || *verb == Verb::main)
      return usage_error(fmt::format("a program does '{}', which is no action", name));
    const unsigned label = one.at("label");
    if (label == 0 || label >= kMaxActions)
      return usage_error(fmt::format("a program has the label {}, expected 1 to {}", label, kMaxActions - 1));
    placed.push_back({static_cast<Label>(label), parent,
                      Action{.verb = *verb,
                             .target = one.value("of", Label{0}),
                             .count = one.value("count", uint8_t{1}),
                             .ms = one.value("ms", uint16_t{0})}});
    if (const auto then = one.find("then"); then != one.end()) {
      if (auto inner = collect(*then, static_cast<Label>(label), placed); !inner) return inner;
    }
  }
  return {};
}

Expected<Program> program_of(const json& document) {
  Program program;
  program.id = document.at("id");
  std::vector<Placed> placed;
  if (auto collected = collect(document.at("steps"), kMain, placed); !collected)
    return std::unexpected(collected.error());
  std::ranges::sort(placed, {}, &Placed::label);
  for (size_t i = 0; i < placed.size(); ++i) {
    const Placed& each = placed[i];
    const bool follows =
        each.label == i + 1 && each.parent < each.label && each.action.target <= placed.size();
    if (!follows)
      return usage_error(
          fmt::format("program {}: the labels are not 1 to {}, each behind that of the callback it stands in",
                      program.id, placed.size()));
    program.add(each.parent, each.action);
  }
  return program;
}

Expected<json> parse(std::string_view text, const std::string& what) {
  json document = json::parse(text, nullptr, false);
  if (document.is_discarded()) return usage_error(fmt::format("{} is not JSON", what));
  return document;
}

Expected<std::string> read_all(const std::filesystem::path& file) {
  std::ifstream in(file);
  if (!in) return usage_error(fmt::format("cannot read '{}'", file.string()));
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

}  // namespace

bool is_program_file(const std::filesystem::path& file) {
  std::ifstream in(file);
  std::string head(64, '\0');
  in.read(head.data(), static_cast<std::streamsize>(head.size()));
  return head.find(kProgramSchema) != std::string::npos;
}

Expected<ProgramFile> read_programs(const std::filesystem::path& file) {
  auto text = read_all(file);
  if (!text) return std::unexpected(text.error());
  auto document = parse(*text, fmt::format("'{}'", file.string()));
  if (!document) return std::unexpected(document.error());
  ProgramFile read;
  try {
    if (document->at("schema") != kProgramSchema)
      return usage_error(fmt::format("'{}' has not the schema {}", file.string(), kProgramSchema));
    read.slots = document->value("slots", 1U);
    read.deadline = std::chrono::milliseconds(document->value("deadline_ms", 2000));
    for (const json& each : document->at("programs")) {
      auto program = program_of(each);
      if (!program) return std::unexpected(program.error());
      read.programs.push_back(std::move(*program));
    }
  } catch (const json::exception& error) {
    return usage_error(fmt::format("'{}': {}", file.string(), error.what()));
  }
  return read;
}

// One program a line, the schema in front of them: keys come in alphabetical order otherwise.
Expected<void> write_programs(const std::filesystem::path& file, const ProgramFile& programs) {
  std::ofstream out(file);
  out << fmt::format(R"({{"schema":"{}","slots":{},"deadline_ms":{},"programs":[)", kProgramSchema,
                     programs.slots, programs.deadline / 1ms);
  for (size_t i = 0; i < programs.programs.size(); ++i)
    out << (i == 0 ? "\n" : ",\n") << document_of(programs.programs[i]).dump();
  out << "\n]}\n";
  out.close();
  if (!out) return environment_error(fmt::format("cannot write '{}': is the disk full?", file.string()));
  return {};
}

std::string to_json(const Program& program) { return document_of(program).dump(); }

Expected<Program> parse_program(std::string_view text) {
  auto document = parse(text, "the program");
  if (!document) return std::unexpected(document.error());
  try {
    return program_of(*document);
  } catch (const json::exception& error) {
    return usage_error(fmt::format("the program: {}", error.what()));
  }
}

std::string runs_header(std::string_view player) {
  return json{{"event", "runs"}, {"schema", kRunSchema}, {"player", player}}.dump() + "\n";
}

std::string to_json_line(const Run& run) {
  std::string line = fmt::format(R"({{"program":{},"steps":[)", run.program);
  for (size_t i = 0; i < run.steps.size(); ++i) {
    const int code = run.steps[i].label * 4 + static_cast<int>(run.steps[i].kind);
    fmt::format_to(std::back_inserter(line), "{}{}", i == 0 ? "" : ",", code);
  }
  if (!run.times_us.empty()) line += fmt::format(R"(],"times_us":[{})", fmt::join(run.times_us, ","));
  return line + "]}\n";
}

Expected<void> read_runs(const std::filesystem::path& file, const std::function<void(Run&&)>& visit) {
  std::ifstream in(file);
  if (!in) return subject_error(fmt::format("the player has written no '{}'", file.filename().string()));
  for (std::string line; std::getline(in, line);) {
    const json record = json::parse(line, nullptr, false);
    if (record.is_discarded()) {
      if (in.peek() == std::ifstream::traits_type::eof()) break;
      return subject_error(fmt::format("a line of the player's is not JSON: {}", line.substr(0, 80)));
    }
    if (!record.contains("program")) continue;
    try {
      Run run{.program = record.at("program"), .steps = {}};
      for (const unsigned code : record.at("steps"))
        run.steps.push_back({static_cast<Label>(code / 4), static_cast<StepKind>(code % 4)});
      if (const auto times = record.find("times_us"); times != record.end()) times->get_to(run.times_us);
      visit(std::move(run));
    } catch (const json::exception& error) {
      return subject_error(fmt::format("a line of the player's: {}", error.what()));
    }
  }
  return {};
}

}  // namespace tickmark::programs
