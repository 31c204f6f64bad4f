#include <cstdlib>
#include <fcntl.h>
#include <fstream>
#include <gtest/gtest.h>
#include <sstream>
#include <unistd.h>

#include "harness/output/bundle_reader.h"
#include "harness/output/bundle_writer.h"
#include "harness/stats/hdr_log.h"

namespace tickmark::output {
namespace {

namespace fs = std::filesystem;

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (fs::temp_directory_path() / "bundle_test_XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) std::abort();
    path_ = name;
  }
  ~TemporaryFolder() { fs::remove_all(path_); }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

const Json kPlan = {{"schema", "tickmark.plan/1"}, {"hash", "abc"}};
const Json kMachine = {{"schema", "tickmark.machine/1"}, {"cpus_online", 2}};

Json trial(int number) {
  return {{"schema", "tickmark.trial/1"}, {"trial", number}, {"reason", "äöü \"quoted\"\n"}};
}

std::string slurp(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

void spill(const fs::path& path, std::string_view text) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
}

TEST(Bundle, ReadsWhatWasWritten) {
  TemporaryFolder tmp;
  auto writer = BundleWriter::create(tmp.path() / "b", kPlan, kMachine);
  ASSERT_TRUE(writer) << writer.error().message;
  ASSERT_TRUE(writer->append_trial(trial(0)));
  ASSERT_TRUE(writer->append_trial(trial(1)));
  ASSERT_TRUE(writer->append_verdict({{"schema", "tickmark.verdict/1"}, {"rule", "r"}}));
  ASSERT_TRUE(writer->write_document("end.json", {{"schema", "tickmark.end/1"}, {"status", "complete"}}));
  auto bundle = read_bundle(tmp.path() / "b");
  ASSERT_TRUE(bundle) << bundle.error().message;
  EXPECT_EQ(bundle->plan, kPlan);
  EXPECT_EQ(bundle->machine, kMachine);
  ASSERT_EQ(bundle->trials.size(), 2u);
  EXPECT_EQ(bundle->trials[1], trial(1));
  EXPECT_EQ(bundle->verdicts.size(), 1u);
  EXPECT_EQ(bundle->status(), "complete");
  EXPECT_TRUE(bundle->notes.empty());
}

TEST(Bundle, IsReadableFromTheFirstMoment) {
  TemporaryFolder tmp;
  ASSERT_TRUE(BundleWriter::create(tmp.path() / "b", kPlan, kMachine));
  auto bundle = read_bundle(tmp.path() / "b");
  ASSERT_TRUE(bundle) << bundle.error().message;
  EXPECT_TRUE(bundle->trials.empty());
  EXPECT_EQ(bundle->status(), "incomplete");
  EXPECT_EQ(bundle->notes.size(), 1u);
  // Nothing beside it: the folder it was born in has been renamed.
  EXPECT_EQ(std::distance(fs::directory_iterator(tmp.path()), fs::directory_iterator()), 1);
}

TEST(Bundle, IsNeverOverwritten) {
  TemporaryFolder tmp;
  ASSERT_TRUE(BundleWriter::create(tmp.path() / "b", kPlan, kMachine));
  auto second = BundleWriter::create(tmp.path() / "b", kPlan, kMachine);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind, ErrorKind::kUsage);
  EXPECT_NE(second.error().message.find("never overwritten"), std::string::npos);
}

TEST(Bundle, SurvivesTruncationAtEveryByteOfTheLastLine) {
  TemporaryFolder tmp;
  const fs::path folder = tmp.path() / "b";
  {
    auto writer = BundleWriter::create(folder, kPlan, kMachine);
    ASSERT_TRUE(writer);
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(writer->append_trial(trial(i)));
  }
  const std::string whole = slurp(folder / "trials.ndjson");
  const size_t last = whole.rfind('\n', whole.size() - 2) + 1;
  ASSERT_GT(last, 0u);
  for (size_t size = last; size < whole.size(); ++size) {
    spill(folder / "trials.ndjson", whole.substr(0, size));
    auto bundle = read_bundle(folder);
    ASSERT_TRUE(bundle) << size << ": " << bundle.error().message;
    EXPECT_EQ(bundle->trials.size(), 2u) << size;
    const bool told = bundle->notes.size() == 2;  // the dropped line, and the missing end.json
    EXPECT_EQ(told, size > last) << size;
  }
  spill(folder / "trials.ndjson", whole);
  EXPECT_EQ(read_bundle(folder)->trials.size(), 3u);
}

TEST(Bundle, AnEmptyLineFileIsNoError) {
  TemporaryFolder tmp;
  ASSERT_TRUE(BundleWriter::create(tmp.path() / "b", kPlan, kMachine));
  spill(tmp.path() / "b" / "trials.ndjson", "");
  auto bundle = read_bundle(tmp.path() / "b");
  ASSERT_TRUE(bundle) << bundle.error().message;
  EXPECT_TRUE(bundle->trials.empty());
}

TEST(Bundle, DamageInTheMiddleNamesFileAndLine) {
  TemporaryFolder tmp;
  ASSERT_TRUE(BundleWriter::create(tmp.path() / "b", kPlan, kMachine));
  spill(tmp.path() / "b" / "trials.ndjson", line_text(trial(0)) + "{\"schema\":\n" + line_text(trial(2)));
  auto bundle = read_bundle(tmp.path() / "b");
  ASSERT_FALSE(bundle);
  EXPECT_NE(bundle.error().message.find("trials.ndjson line 2"), std::string::npos) << bundle.error().message;
}

TEST(Bundle, RefusesUnknownSchemas) {
  EXPECT_TRUE(parse_document(R"({"schema":"tickmark.plan/1"})", kPlanSchema, "p"));
  EXPECT_TRUE(parse_document(R"({"schema":"tickmark.plan/1.4"})", kPlanSchema, "p"));
  for (const char* bad : {R"({"schema":"tickmark.plan/2"})", R"({"schema":"tickmark.plan/10"})",
                          R"({"schema":"tickmark.trial/1"})", R"({"schema":"tickmark.plan"})",
                          R"({"schema":1})", R"([1])", R"({})", R"({"schema":"tickmark.plan/1)", ""}) {
    auto document = parse_document(bad, kPlanSchema, "plan.json");
    ASSERT_FALSE(document) << bad;
    EXPECT_EQ(document.error().kind, ErrorKind::kUsage);
    EXPECT_NE(document.error().message.find("plan.json"), std::string::npos);
  }
}

TEST(Bundle, AFolderWithoutAPlanIsNone) {
  TemporaryFolder tmp;
  EXPECT_FALSE(read_bundle(tmp.path()));
  EXPECT_FALSE(read_bundle(tmp.path() / "nothing"));
  EXPECT_FALSE(BundleWriter::open(tmp.path()));
}

TEST(Bundle, InvalidUtf8OfASubjectIsKeptReadable) {
  TemporaryFolder tmp;
  auto writer = BundleWriter::create(tmp.path() / "b", kPlan, kMachine);
  ASSERT_TRUE(writer);
  Json record = trial(0);
  record["stderr"] = "\xff\xfe broken";
  ASSERT_TRUE(writer->append_trial(record));
  auto bundle = read_bundle(tmp.path() / "b");
  ASSERT_TRUE(bundle) << bundle.error().message;
  EXPECT_NE(text_at(bundle->trials[0], "stderr").find("broken"), std::string::npos);
}

TEST(Bundle, HistogramsReadBackWithTheirTags) {
  TemporaryFolder tmp;
  auto writer = BundleWriter::create(tmp.path() / "b", kPlan, kMachine);
  ASSERT_TRUE(writer);
  stats::Histogram histogram;
  histogram.record(5ms, 3);
  ASSERT_TRUE(writer->append_histogram("t0.main.response", wall_clock(), 700ms, histogram));
  ASSERT_TRUE(writer->append_histogram("t0.main.censored", wall_clock(), 700ms, stats::Histogram{}));
  ASSERT_TRUE(writer->append_histogram("t1.main.response", wall_clock(), 700ms, histogram));
  const std::string text = slurp(tmp.path() / "b" / "histograms.hlog");
  stats::HdrLogReader reader(text);
  std::vector<std::string> tags;
  while (true) {
    auto entry = reader.next();
    ASSERT_TRUE(entry) << entry.error().message;
    if (!*entry) break;
    tags.push_back((*entry)->tag);
    EXPECT_EQ((*entry)->histogram.count(), 3u);
  }
  EXPECT_EQ(tags, (std::vector<std::string>{"t0.main.response", "t1.main.response"}));
}

TEST(WriteAtomically, ReplacesAndLeavesNothingBeside) {
  TemporaryFolder tmp;
  ASSERT_TRUE(write_atomically(tmp.path() / "f", "old"));
  ASSERT_TRUE(write_atomically(tmp.path() / "f", "new"));
  EXPECT_EQ(slurp(tmp.path() / "f"), "new");
  EXPECT_EQ(std::distance(fs::directory_iterator(tmp.path()), fs::directory_iterator()), 1);
  auto nowhere = write_atomically(tmp.path() / "no" / "f", "x");
  ASSERT_FALSE(nowhere);
  EXPECT_EQ(nowhere.error().kind, ErrorKind::kEnvironment);
}

TEST(Utc, IsIso8601) { EXPECT_EQ(utc_text(Nanos{1'795'228'800'000'000'000}), "2026-11-21T02:40:00Z"); }

}  // namespace
}  // namespace tickmark::output
