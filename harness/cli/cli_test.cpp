#include <cstdlib>
#include <fstream>
#include <gtest/gtest.h>

#include "harness/cli/find_max.h"
#include "harness/cli/settings.h"
#include "harness/cli/units.h"

namespace tickmark::cli {
namespace {

TEST(Units, an_objective_is_a_percentile_and_a_limit) {
  const auto objective = parse_objective("p99.9 < 10ms");
  ASSERT_TRUE(objective);
  EXPECT_DOUBLE_EQ(objective->q, 0.999);
  EXPECT_EQ(objective->limit, 10ms);
  for (const char* text : {"", "p99", "p99>10ms", "p99<", "p101<1s", "p10<1s", "99<1s", "pp<1s", "p99<-1s"})
    EXPECT_FALSE(parse_objective(text)) << text;
}

TEST(Units, durations_need_a_unit_and_a_positive_number) {
  EXPECT_EQ(parse_duration("--duration", "6s"), 6s);
  EXPECT_EQ(parse_duration("--duration", "1.5ms"), 1500us);
  EXPECT_EQ(parse_duration("--duration", "2m"), 120s);
  for (const char* bad : {"", "6", "s", "-1s", "0s", "1e99s", "6 s", "nans", "1d"}) {
    auto parsed = parse_duration("--duration", bad);
    ASSERT_FALSE(parsed) << bad;
    EXPECT_NE(parsed.error().message.find(std::string("'") + bad + "'"), std::string::npos);
  }
}

TEST(Units, rates_take_thousands_and_millions) {
  EXPECT_EQ(parse_rate("--rate", "1000"), 1000);
  EXPECT_EQ(parse_rate("--rate", "50k"), 50'000);
  EXPECT_EQ(parse_rate("--rate", "1.5M"), 1'500'000);
  for (const char* bad : {"", "k", "-5", "0", "5x", "1e400", "inf", "11M", "1e9"})
    EXPECT_FALSE(parse_rate("--rate", bad)) << bad;
}

TEST(Units, printing_keeps_three_digits) {
  EXPECT_EQ(print_duration(Nanos{999}), "999 ns");
  EXPECT_EQ(print_duration(Nanos{1'240'000}), "1.24 ms");
  EXPECT_EQ(print_duration(Nanos{43'100}), "43.1 us");
  EXPECT_EQ(print_duration(540ms), "540 ms");
  EXPECT_EQ(print_count(0), "0");
  EXPECT_EQ(print_count(1'234'567), "1,234,567");
}

TEST(Settings, edit_distance_counts_single_changes) {
  EXPECT_EQ(edit_distance("conections", "connections"), 1U);
  EXPECT_EQ(edit_distance("", "abc"), 3U);
  EXPECT_EQ(edit_distance("same", "same"), 0U);
}

/// An application with one verb, as main() makes them.
struct App {
  CLI::App app;
  int connections = 64;
  std::string rate = "1k";
  CLI::App* verb;
  App() : verb(app.add_subcommand("load")) {
    verb->add_option("--connections", connections);
    verb->add_option("--rate", rate);
  }
  Expected<void> parse(std::vector<std::string> flags, const std::string& toml,
                       std::vector<std::string> variables) {
    const std::string path = ::testing::TempDir() + "tickmark-settings-test.toml";
    std::ofstream(path) << toml;
    flags.insert(flags.begin(), "load");
    std::reverse(flags.begin(), flags.end());
    app.parse(flags);
    std::vector<char*> environment;
    for (auto& variable : variables) environment.push_back(variable.data());
    environment.push_back(nullptr);
    auto settings = Settings::load(path, environment.data());
    if (!settings) return std::unexpected(settings.error());
    if (auto known = settings->check(app); !known) return known;
    return settings->apply(*verb);
  }
};

TEST(Settings, flags_beat_variables_beat_the_file_beat_defaults) {
  App defaults;
  ASSERT_TRUE(defaults.parse({}, "", {}));
  EXPECT_EQ(defaults.connections, 64);
  App file;
  ASSERT_TRUE(file.parse({}, "connections = 3\n[load]\nrate = \"5k\"\n", {}));
  EXPECT_EQ(file.connections, 3);
  EXPECT_EQ(file.rate, "5k");
  App variable;
  ASSERT_TRUE(variable.parse({}, "connections = 3\n", {"TICKMARK_CONNECTIONS=7"}));
  EXPECT_EQ(variable.connections, 7);
  App flag;
  ASSERT_TRUE(flag.parse({"--connections", "11"}, "connections = 3\n", {"TICKMARK_LOAD_CONNECTIONS=7"}));
  EXPECT_EQ(flag.connections, 11);
}

TEST(Settings, unknown_keys_are_errors_with_the_nearest_name) {
  App file;
  auto parsed = file.parse({}, "conections = 3\n", {});
  ASSERT_FALSE(parsed);
  EXPECT_NE(parsed.error().message.find("did you mean 'connections'"), std::string::npos)
      << parsed.error().message;
  App variable;
  parsed = variable.parse({}, "", {"TICKMARK_CONECTIONS=3"});
  ASSERT_FALSE(parsed);
  EXPECT_NE(parsed.error().message.find("TICKMARK_CONNECTIONS"), std::string::npos) << parsed.error().message;
}

TEST(Settings, a_bad_value_names_its_origin) {
  App app;
  auto parsed = app.parse({}, "", {"TICKMARK_CONNECTIONS=many"});
  ASSERT_FALSE(parsed);
  EXPECT_NE(parsed.error().message.find("the environment"), std::string::npos) << parsed.error().message;
}

TEST(Settings, a_broken_file_is_named_with_its_line) {
  App app;
  auto parsed = app.parse({}, "rate = \n", {});
  ASSERT_FALSE(parsed);
  EXPECT_NE(parsed.error().message.find("line 1"), std::string::npos) << parsed.error().message;
}

}  // namespace
}  // namespace tickmark::cli
