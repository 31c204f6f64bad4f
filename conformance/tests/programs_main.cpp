// conformance_programs FIGURE: what random programs in virtual time say of the acceptor, as one JSON line.
#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "conformance/tests/program_page.h"
#include "conformance/tests/program_swaps.h"

namespace tickmark::programs {
namespace {

struct Options {
  uint64_t seed = 1;
  uint64_t programs = 1000;
  size_t callbacks = 7;
  Shape shape;
};

int sweep_figure(const Options& options, const Perturbation& perturbation) {
  const Sweep seen = sweep(options.seed, options.programs, options.shape, perturbation);
  fmt::print(
      "{{\"programs\":{},\"callbacks\":{},\"refused\":{},\"inconclusive\":{},\"seconds\":{:.3f},\"callbacks_"
      "per_s\":{:.0f}}}\n",
      seen.programs, seen.callbacks, seen.refused, seen.inconclusive, seconds(seen.taken),
      static_cast<double>(seen.callbacks) / seconds(seen.taken));
  if (seen.refused == 0) return 0;
  fmt::print(stderr, "{}", seen.first_refusal);
  return 1;
}

int tight_figure(const Options& options) {
  const Nanos start = now();
  const Tightness seen = tightness(options.seed, options.programs, options.callbacks);
  fmt::print(
      "{{\"programs\":{},\"runs\":{},\"orders\":{},\"refused_orders\":{},\"found_at_random\":{},\"illegal\":{"
      "},\"refused\":{},"
      "\"seconds\":{:.3f}}}\n",
      seen.programs, seen.runs, seen.orders, seen.refused_orders, seen.found_at_random, seen.illegal,
      seen.refused, seconds(now() - start));
  fmt::print(stderr, "{}", seen.first_missed);
  return seen.refused_orders == 0 && seen.refused == seen.illegal ? 0 : 1;
}

int swaps_figure(const Options& options) {
  const Swaps seen = swaps(options.seed, options.programs, options.shape);
  fmt::print("{{\"swaps\":{},\"refused\":{},\"pairs\":{{", seen.all.swaps, seen.all.refused);
  const char* separator = "";
  for (const auto& [name, count] : seen.by_pair) {
    fmt::print("{}\"{}\":[{},{}]", separator, name, count.swaps, count.refused);
    separator = ",";
  }
  fmt::print("}}}}\n");
  return 0;
}

int run(int argc, char** argv) {
  CLI::App app{"Figures about the acceptor of random programs, in virtual time"};
  std::string figure;
  Options options;
  app.add_option("figure", figure,
                 "sweep: throughput; perturb: everything late; tight: against every order; "
                 "swaps: share of exchanges refused; page: docs/acceptor.md")
      ->required()
      ->check(CLI::IsMember({"sweep", "perturb", "tight", "swaps", "page"}));
  app.add_option("--seed", options.seed);
  app.add_option("--programs", options.programs);
  app.add_option("--callbacks", options.callbacks, "at most, of a program of `tight`");
  app.add_option("--throwing", options.shape.throwing_permille, "of a thousand programs");
  CLI11_PARSE(app, argc, argv);
  if (figure == "tight") return tight_figure(options);
  if (figure == "swaps") return swaps_figure(options);
  if (figure == "page") {
    fmt::print("{}", acceptor_page());
    return 0;
  }
  return sweep_figure(options, figure == "perturb" ? kHeavyPerturbation : Perturbation{});
}

}  // namespace
}  // namespace tickmark::programs

int main(int argc, char** argv) { return tickmark::programs::run(argc, argv); }
