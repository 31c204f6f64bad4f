// Runs a fuzz target without libFuzzer: <fuzzer> [rounds [seed]]. Deterministic, so that a failure is
// replayed by running it again; the seed of a failing round is printed before the abort.
#include <csignal>
#include <cstdio>
#include <unistd.h>
#include <vector>

#include "reference-loop/http_parser/fuzz_entry.h"

namespace {

// SplitMix64.
struct Random {
  std::uint64_t state;
  std::uint64_t next() {
    std::uint64_t z = (state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
  std::size_t below(std::size_t limit) { return limit == 0 ? 0 : next() % limit; }
};

// Tokens that decide something in what is fuzzed here.
constexpr std::string_view kTokens[] = {"\r\n",
                                        "\r",
                                        "\n",
                                        "\r\n\r\n",
                                        " ",
                                        ":",
                                        ";",
                                        "0",
                                        "ffffffffffffffff",
                                        "-1",
                                        "chunked",
                                        "Content-Length: 3\r\n",
                                        "Transfer-Encoding: chunked\r\n",
                                        "HTTP/1.1",
                                        "://",
                                        "[",
                                        "]",
                                        "%",
                                        "@",
                                        "?"};

std::string mutate(std::string input, Random& random, const std::vector<std::string>& seeds) {
  for (std::size_t steps = random.below(4); steps > 0; --steps) {
    const std::size_t at = random.below(input.size() + 1);
    switch (random.below(6)) {
      case 0:
        if (at < input.size()) input[at] = static_cast<char>(random.next());
        break;
      case 1:
        input.erase(at, 1 + random.below(8));
        break;
      case 2:
        input.insert(at, kTokens[random.below(std::size(kTokens))]);
        break;
      case 3:
        input.resize(at);
        break;
      case 4:
        input.insert(at, input.substr(random.below(input.size() + 1), random.below(32)));
        break;
      case 5:
        input += seeds[random.below(seeds.size())];
        break;
    }
  }
  return input;
}

std::uint64_t current_seed = 0;

void say_seed(int) {
  char line[64];
  const int size = std::snprintf(line, sizeof(line), "failing input: run with 1 %llu\n",
                                 static_cast<unsigned long long>(current_seed));
  [[maybe_unused]] const auto written = write(STDERR_FILENO, line, static_cast<std::size_t>(size));
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGABRT, say_seed);
  const std::uint64_t rounds = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : kFuzzRounds;
  const std::uint64_t first = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 1;
  std::vector<std::string> seeds;
  for (const char* const* seed = kFuzzSeeds; *seed; ++seed) seeds.emplace_back(*seed);
  for (current_seed = first; current_seed < first + rounds; ++current_seed) {
    Random random{current_seed};
    const std::string input = mutate(seeds[random.below(seeds.size())], random, seeds);
    LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
  }
  return 0;
}
