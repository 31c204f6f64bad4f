#include "harness/subject/arguments.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <optional>
#include <ranges>
#include <vector>

namespace tickmark::subject {
namespace {

// `--flag value` and `--flag=value`, in order.
struct Flag {
  std::string_view name;
  std::string_view value;
};

Expected<std::vector<Flag>> split_flags(std::span<const char* const> words) {
  std::vector<Flag> flags;
  for (size_t i = 0; i < words.size(); ++i) {
    const std::string_view word = words[i];
    if (!word.starts_with("--")) {
      return usage_error(fmt::format("'{}' is not a flag; expected --name value, see --help", word));
    }
    const size_t equals = word.find('=');
    if (equals != std::string_view::npos) {
      flags.push_back({word.substr(0, equals), word.substr(equals + 1)});
    } else if (i + 1 < words.size()) {
      flags.push_back({word, words[++i]});
    } else {
      return usage_error(fmt::format("{} needs a value, see --help", word));
    }
  }
  return flags;
}

Expected<void> add_pair(const Flag& flag, Parameters& into) {
  const size_t equals = flag.value.find('=');
  if (equals == std::string_view::npos || equals == 0) {
    return usage_error(fmt::format("{} '{}': expected key=value", flag.name, flag.value));
  }
  const std::string_view key = flag.value.substr(0, equals);
  if (!into.emplace(key, flag.value.substr(equals + 1)).second) {
    return usage_error(fmt::format("{} '{}': '{}' is given twice; give it once", flag.name, flag.value, key));
  }
  return {};
}

Expected<void> complete_options(const SubjectDescription& description, Parameters& options) {
  for (const auto& [key, value] : options) {
    if (description.options.contains(key)) continue;
    return usage_error(
        fmt::format("subject '{}' has no option '{}'; it has {}", description.name, key,
                    description.options.empty()
                        ? "none"
                        : fmt::format("{}", fmt::join(std::views::keys(description.options), ", "))));
  }
  options.insert(description.options.begin(), description.options.end());
  return {};
}

Expected<void> check_workload(const SubjectDescription& description, std::string_view flag,
                              const std::string& workload) {
  if (workload.empty()) return usage_error(fmt::format("{} is missing; see --help", flag));
  if (std::ranges::find(description.workloads, workload) != description.workloads.end()) return {};
  return usage_error(fmt::format("subject '{}' does not serve workload '{}'; it serves {}", description.name,
                                 workload, fmt::join(description.workloads, ", ")));
}

Expected<uint16_t> parse_port(std::string_view text) {
  uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size()) {
    return usage_error(fmt::format("--port '{}': expected a number from 0 to 65535", text));
  }
  return port;
}

Expected<Request> parse_serve(const std::vector<Flag>& flags, const SubjectDescription& description) {
  ServeRequest request;
  for (const Flag& flag : flags) {
    Expected<void> ok;
    if (flag.name == "--workload") {
      request.workload = flag.value;
    } else if (flag.name == "--option") {
      ok = add_pair(flag, request.options);
    } else if (flag.name == "--param") {
      ok = add_pair(flag, request.params);
    } else if (flag.name == "--address") {
      request.address = flag.value;
    } else if (flag.name == "--port") {
      const auto port = parse_port(flag.value);
      if (!port) return std::unexpected(port.error());
      request.port = *port;
    } else {
      ok = usage_error(fmt::format(
          "serve does not know '{}'; it takes --workload, --option, --param, --address and --port",
          flag.name));
    }
    if (!ok) return std::unexpected(ok.error());
  }
  if (auto ok = check_workload(description, "--workload", request.workload); !ok)
    return std::unexpected(ok.error());
  if (auto ok = complete_options(description, request.options); !ok) return std::unexpected(ok.error());
  return request;
}

Expected<Request> parse_play(const std::vector<Flag>& flags, const SubjectDescription& description) {
  PlayRequest request;
  for (const Flag& flag : flags) {
    Expected<void> ok;
    if (flag.name == "--scenarios") {
      request.scenarios = flag.value;
    } else if (flag.name == "--trace") {
      request.trace = flag.value;
    } else if (flag.name == "--mode") {
      request.mode = flag.value;
    } else if (flag.name == "--serve") {
      request.serve = flag.value;
      ok = check_workload(description, "--serve", request.serve);
    } else if (flag.name == "--option") {
      ok = add_pair(flag, request.options);
    } else if (flag.name == "--param") {
      ok = add_pair(flag, request.params);
    } else {
      ok = usage_error(fmt::format(
          "play does not know '{}'; it takes --scenarios, --trace, --mode, --serve, --option and --param",
          flag.name));
    }
    if (!ok) return std::unexpected(ok.error());
  }
  if (request.scenarios.empty()) return usage_error("--scenarios FILE is missing; see --help");
  if (request.trace.empty()) return usage_error("--trace FILE is missing; see --help");
  if (auto ok = complete_options(description, request.options); !ok) return std::unexpected(ok.error());
  return request;
}

}  // namespace

Expected<Request> parse_arguments(std::span<const char* const> words, const SubjectDescription& description,
                                  bool can_play) {
  if (words.empty()) return usage_error("a verb is missing; expected describe, serve or play, see --help");
  const std::string_view verb = words[0];
  if (verb == "--help" || verb == "-h" || verb == "help") return HelpRequest{};
  if (verb == "describe" && words.size() == 1) return DescribeRequest{};
  if (verb == "describe")
    return usage_error(fmt::format("describe takes no argument, but '{}' was given", words[1]));
  if (verb == "play" && !can_play) {
    return usage_error(fmt::format("subject '{}' has no conformance player", description.name));
  }
  if (verb != "serve" && verb != "play") {
    return usage_error(
        fmt::format("verb '{}' is unknown; expected describe, serve or play, see --help", verb));
  }
  for (const char* word : words.subspan(1)) {
    if (std::string_view(word) == "--help" || std::string_view(word) == "-h") return HelpRequest{};
  }
  const auto flags = split_flags(words.subspan(1));
  if (!flags) return std::unexpected(flags.error());
  return verb == "serve" ? parse_serve(*flags, description) : parse_play(*flags, description);
}

std::string usage_text(const SubjectDescription& description, bool can_play) {
  std::string options;
  for (const auto& [key, value] : description.options) options += fmt::format(" {}={}", key, value);
  return fmt::format(
      "usage: subject_{} describe\n"
      "       one JSON object: versions, workloads, features, options with their defaults\n"
      "   or: subject_{} serve --workload W [--option k=v]... [--param k=v]... [--address A] [--port P]\n"
      "       prints a ready line, serves until stdin closes or SIGTERM, prints a final line, exits 0\n"
      "{}"
      "workloads: {}\n"
      "options with defaults:{}\n"
      "exit codes: 0 done, 2 usage, 3 the machine refuses (port in use, no descriptors)\n",
      description.name, description.name,
      can_play ? "   or: play --scenarios FILE --trace FILE [--mode M] [--serve W] [--option k=v]...\n"
                 "       plays conformance scenarios on the loop and writes what happened\n"
               : "",
      fmt::join(description.workloads, " "), options.empty() ? " none" : options);
}

}  // namespace tickmark::subject
