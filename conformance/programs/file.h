#pragma once
// Programs and runs as files: what a player is given and what it writes (docs/programs.md).

#include <filesystem>
#include <functional>
#include <string_view>

#include "conformance/programs/run.h"
#include "harness/base/error.h"
#include "harness/base/time.h"

namespace tickmark::programs {

struct ProgramFile {
  /// How many programs a player whose time is real may have under way at once: their durations differ.
  unsigned slots = 1;
  /// A program that takes longer is ended as it is.
  Nanos deadline = 2s;
  std::vector<Program> programs;
};

/// Whether the file says it holds programs; false also if it cannot be read.
bool is_program_file(const std::filesystem::path& file);
Expected<ProgramFile> read_programs(const std::filesystem::path& file);
Expected<void> write_programs(const std::filesystem::path& file, const ProgramFile& programs);

/// One program as a JSON document, to be kept or typed; and back.
std::string to_json(const Program& program);
Expected<Program> parse_program(std::string_view text);

/// First line of a player's answer, and the line of a run.
std::string runs_header(std::string_view player);
std::string to_json_line(const Run& run);
/// Calls `visit` for each run of the file, in its order. The last line may be cut off: the player has
/// crashed.
Expected<void> read_runs(const std::filesystem::path& file, const std::function<void(Run&&)>& visit);

}  // namespace tickmark::programs
