#include "harness/process/registry.h"

#include <fmt/format.h>
#include <fstream>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/utsname.h>

namespace tickmark::process::registry_test {
namespace {

namespace fs = std::filesystem;

constexpr const char* kDescribe =
    R"({"name":"toy","versions":{"toy":"24.1.0","openssl":"3.0.19"},"workloads":["echo"],)"
    R"("features":["play"],"options":{"pool":4,"share":"handoff"}})";

/// A product root of our own, with one subject that is a shell script.
class RegistryTest : public testing::Test {
 protected:
  RegistryTest() {
    char name[] = "/tmp/tickmark_registry_XXXXXX";
    root_ = ::mkdtemp(name);
    fs::create_directories(root_ / "bin");
    write("baselines/toy/subject.yaml",
          manifest("['{shell}', '{dir}/main.sh']", "launch_options: {shell: /bin/sh}\n"));
    script("main.sh", std::string("echo x >> \"$(dirname \"$0\")/runs\"; echo '") + kDescribe + "'");
    write("workloads/echo/spec.yaml",
          "title: Echo\nsays: What?\nkind: stream\nplacement: isolated\nnot_told: Much.\n"
          "params:\n  - {name: size, default: \"64\", says: bytes}\nvariants:\n  - {name: a, says: one}\n");
  }
  ~RegistryTest() override { fs::remove_all(root_); }

  static std::string manifest(const std::string& command, const std::string& more = "") {
    return "title: Toy\nsays: A toy.\ncolour: '#12aBef'\ncommand: " + command + "\n" + more;
  }
  void write(const std::string& path, const std::string& text) {
    fs::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path) << text;
  }
  void script(const std::string& name, const std::string& body) {
    write("baselines/toy/" + name, body + "\n");
  }
  Registry load() {
    auto registry = Registry::load({root_, root_ / "bin"});
    EXPECT_TRUE(registry) << registry.error().message;
    return registry ? std::move(*registry) : Registry();
  }
  std::string load_error() {
    auto registry = Registry::load({root_, root_ / "bin"});
    if (registry) return "";
    EXPECT_EQ(registry.error().kind, ErrorKind::kEnvironment);
    return registry.error().message;
  }
  static ResolvedSubject resolve(const Registry& registry, const std::string& text) {
    auto subject = registry.resolve(*SubjectName::parse(text));
    EXPECT_TRUE(subject) << subject.error().message;
    return *subject;
  }
  SubjectStatus status(const std::string& text) {
    Registry registry = load();
    return registry.status(resolve(registry, text));
  }

  fs::path root_;
};

TEST_F(RegistryTest, LoadsWhatIsOnDisk) {
  const Registry registry = load();
  ASSERT_EQ(registry.subjects().size(), 1u);
  EXPECT_EQ(registry.subjects()[0].name, "toy");
  EXPECT_EQ(registry.subjects()[0].title, "Toy");
  const auto echo = registry.workload("echo");
  ASSERT_TRUE(echo);
  EXPECT_EQ(echo->kind, WorkloadKind::kStream);
  EXPECT_EQ(echo->params.at(0).fallback, "64");
  EXPECT_EQ(echo->variants.at(0).name, "a");
}

TEST_F(RegistryTest, TheRealTreeIsWhole) {
  const auto registry = Registry::load({TICKMARK_SOURCE_DIR, root_ / "bin"});
  ASSERT_TRUE(registry) << registry.error().message;
  const auto count = [](const char* folder, const char* file) {
    size_t found = 0;
    for (const auto& entry : fs::directory_iterator(fs::path(TICKMARK_SOURCE_DIR) / folder)) {
      found += fs::exists(entry.path() / file) ? 1 : 0;
    }
    return found;
  };
  EXPECT_EQ(registry->subjects().size(), count("baselines", "subject.yaml"));
  EXPECT_EQ(registry->workloads().size(), count("workloads", "spec.yaml"));
  EXPECT_GE(registry->workloads().size(), 5u);
  std::map<std::string, std::string> colours;
  for (const SubjectManifest& manifest : registry->subjects()) {
    const auto [other, fresh] = colours.emplace(manifest.colour, manifest.name);
    EXPECT_TRUE(fresh) << manifest.name << " has the colour of " << other->second;
  }
}

TEST_F(RegistryTest, BrokenFilesAreToldWithFileAndKey) {
  const auto subject = [&](const std::string& text, const std::string& expected) {
    write("baselines/toy/subject.yaml", text);
    const std::string message = load_error();
    EXPECT_NE(message.find("toy/subject.yaml"), std::string::npos) << message;
    EXPECT_NE(message.find(expected), std::string::npos) << message;
  };
  subject(manifest("[x]", "color: red\n"), "'color': unknown key; did you mean 'colour'?");
  subject("title: T\nsays: S\ncolour: '#123456'\n", "'command': is missing");
  subject("title: T\nsays: S\ncommand: [x]\ncolour: red\n", "'red' is no colour");
  subject("title: T\nsays: S\ncommand: [x]\ncolour: #123456\n", "'colour': is missing");
  subject("title: T\nsays: ''\ncommand: [x]\ncolour: '#123456'\n", "'says': is empty");
  subject(manifest("['{binary}']"), "'{binary}' is neither");
  subject(manifest("x"), "'command': expected a list");
  subject("title: [", "line");
  subject("just words\n", "key: value");
  write("baselines/toy/subject.yaml", manifest("[x]"));
  write("workloads/echo/spec.yaml", "title: T\nsays: S\nkind: udp\nplacement: isolated\nnot_told: N\n");
  EXPECT_NE(load_error().find("'kind': 'udp'"), std::string::npos);
  write("workloads/echo/spec.yaml",
        "title: T\nsays: S\nkind: http\nplacement: shared\nnot_told: N\nparams: [{name: a, default: 1}]\n");
  EXPECT_NE(load_error().find("'params' entry 1: 'says': is missing"), std::string::npos) << load_error();
  write("workloads/echo/spec.yaml",
        "title: T\nsays: S\nkind: http\nplacement: shared\nnot_told: N\nvariants: [{name: a, says: b}, "
        "{name: a, says: c}]\n");
  EXPECT_NE(load_error().find("'a' is given twice"), std::string::npos) << load_error();
}

TEST_F(RegistryTest, UnknownNamesGetASuggestion) {
  const Registry registry = load();
  const auto subject = registry.resolve(*SubjectName::parse("toi"));
  ASSERT_FALSE(subject);
  EXPECT_EQ(subject.error().kind, ErrorKind::kUsage);
  EXPECT_NE(subject.error().message.find("did you mean 'toy'?"), std::string::npos)
      << subject.error().message;
  EXPECT_NE(registry.workload("ehco").error().message.find("did you mean 'echo'?"), std::string::npos);
  EXPECT_EQ(registry.workload("quite_different").error().message.find("did you mean"), std::string::npos);
}

TEST_F(RegistryTest, FillsPlaceholdersAndPassesOptions) {
  const Registry registry = load();
  const auto subject = resolve(registry, "toy:shell=./{dir}/sh,pool=8");
  EXPECT_EQ(subject.id, "toy:pool=8,shell=./{dir}/sh");
  const std::string main = root_ / "baselines/toy/main.sh";
  EXPECT_EQ(subject.command, (Command{"./{dir}/sh", main})) << "a value is not filled again";
  EXPECT_EQ(subject.serve_command("echo", {{"size", "64"}}),
            (Command{"./{dir}/sh", main, "serve", "--workload", "echo", "--option", "pool=8", "--param",
                     "size=64"}));
  EXPECT_EQ(subject.describe_command().back(), "describe");
  EXPECT_EQ(subject.play_command({"--scenarios", "f"}),
            (Command{"./{dir}/sh", main, "play", "--scenarios", "f", "--option", "pool=8"}));
}

TEST_F(RegistryTest, DescribesOnce) {
  Registry registry = load();
  for (const char* name : {"toy", "toy@24", "toy:pool=9"}) {
    const SubjectStatus seen = registry.status(resolve(registry, name));
    ASSERT_TRUE(seen.available()) << seen.reason;
    EXPECT_EQ(seen.description.versions.at("toy"), "24.1.0");
    EXPECT_EQ(seen.description.options.at("pool"), "4");
    EXPECT_EQ(seen.description.workloads, std::vector<std::string>{"echo"});
  }
  EXPECT_EQ(fs::file_size(root_ / "baselines/toy/runs"), 2u) << "one line";
  const auto catalogue = registry.catalogue();
  ASSERT_EQ(catalogue.size(), 1u);
  EXPECT_TRUE(catalogue[0].status.available());
}

TEST_F(RegistryTest, VersionsMatchInWholeNumbersOfTheRuntimesOwn) {
  EXPECT_TRUE(status("toy@24").available());
  EXPECT_TRUE(status("toy@24.1").available());
  for (const char* name : {"toy@2", "toy@25", "toy@3"}) {  // 3 is OpenSSL's
    const SubjectStatus seen = status(name);
    EXPECT_EQ(seen.availability, Availability::kMissing) << name;
    EXPECT_NE(seen.reason.find("toy 24.1.0"), std::string::npos) << seen.reason;
  }
}

/// A family of runtimes of which the lock pins three for this machine; a fetched one says its own version.
class FetchedTest : public RegistryTest {
 protected:
  FetchedTest() {
    utsname system{};
    ::uname(&system);
    std::string lock = "# comment\n";
    for (const char* major : {"8", "9", "10"})
      lock += fmt::format("toy@{} {} toy-package {}.1.2 bin/toy sha512-x\n", major, system.machine, major);
    write("scripts/runtimes.lock", lock + "toy@7 other_machine toy-package 7.0.0 bin/toy sha512-x\n");
    write("baselines/toy/subject.yaml",
          manifest("['{binary}', '{dir}/main.sh']",
                   "binary: no_such_runtime\nlaunch_options: {binary: no_such_runtime}\nfetched: toy\n"
                   "install: apt-get install it\n"));
  }
  void fetch(const std::string& major) {
    const std::string program = "runtimes/toy-" + major + "/bin/toy";
    write(program, "#!/bin/sh\necho '{\"name\":\"toy\",\"versions\":{\"toy\":\"" + major +
                       ".1.2\"},\"workloads\":[\"echo\"]}'\n");
    fs::permissions(root_ / program, fs::perms::owner_all);
  }
};

TEST_F(FetchedTest, AVersionChoosesTheFetchedRuntime) {
  fetch("9");
  Registry registry = load();
  const auto nine = resolve(registry, "toy@9.1");
  EXPECT_EQ(nine.command[0], (root_ / "runtimes/toy-9/bin/toy").string());
  EXPECT_TRUE(registry.status(nine).available());
  EXPECT_EQ(resolve(registry, "toy@9:binary=/bin/sh").command[0], "/bin/sh") << "what is said goes first";
  EXPECT_EQ(registry.status(resolve(registry, "toy@9.2")).availability, Availability::kMissing);
}

TEST_F(FetchedTest, WhatHasNotBeenFetchedSaysHow) {
  for (const char* name : {"toy@9", "toy@10"}) {
    const SubjectStatus seen = status(name);
    EXPECT_EQ(seen.availability, Availability::kMissing);
    EXPECT_EQ(seen.install, std::string("scripts/fetch-runtimes ") + name);
  }
  EXPECT_EQ(status("toy").install, "apt-get install it");
  EXPECT_EQ(status("toy@7").install, "apt-get install it") << "pinned for another machine only";
}

TEST_F(FetchedTest, WithoutAVersionThePathComesFirstThenTheNewestFetched) {
  EXPECT_EQ(status("toy").reason, "'no_such_runtime' is not installed");
  fetch("8");
  EXPECT_EQ(resolve(load(), "toy").command[0], (root_ / "runtimes/toy-8/bin/toy").string());
  fetch("9");
  EXPECT_EQ(resolve(load(), "toy").command[0], (root_ / "runtimes/toy-9/bin/toy").string());
  EXPECT_TRUE(status("toy").available());
  write("baselines/toy/subject.yaml",
        manifest("['{binary}', '{dir}/main.sh']", "launch_options: {binary: sh}\nfetched: toy\n"));
  EXPECT_EQ(resolve(load(), "toy").command[0], "sh");
}

TEST_F(FetchedTest, TheCatalogueListsEveryPinnedVersion) {
  fetch("9");
  const auto catalogue = load().catalogue();
  ASSERT_EQ(catalogue.size(), 4u);
  const char* const names[] = {"toy", "toy@8", "toy@9", "toy@10"};
  for (size_t i = 0; i < 4; ++i) EXPECT_EQ(catalogue[i].name.text(), names[i]);
  EXPECT_TRUE(catalogue[0].status.available());
  EXPECT_FALSE(catalogue[1].status.available());
  EXPECT_TRUE(catalogue[2].status.available());
}

TEST_F(FetchedTest, ABrokenLockIsToldWithItsLine) {
  write("scripts/runtimes.lock", "# fine\ntoy@1 x86_64 package\n");
  EXPECT_NE(load_error().find("runtimes.lock: line 2"), std::string::npos);
  write("scripts/runtimes.lock", "");
  write("baselines/toy/subject.yaml", manifest("[x]", "fetched: toy\n"));
  EXPECT_NE(load_error().find("'fetched': needs a launch option 'binary'"), std::string::npos);
}

TEST_F(RegistryTest, WhatIsNotHereSaysWhyAndHow) {
  write("baselines/toy/subject.yaml", manifest("['{binary}']",
                                               "binary: no_such_runtime\nlaunch_options: {binary: "
                                               "no_such_runtime}\ninstall: apt-get install it\n"));
  SubjectStatus seen = status("toy");
  EXPECT_EQ(seen.availability, Availability::kMissing);
  EXPECT_EQ(seen.reason, "'no_such_runtime' is not installed");
  EXPECT_EQ(seen.install, "apt-get install it");
  EXPECT_EQ(status("toy:binary=/nowhere/it").reason, "'/nowhere/it' is no executable file");
  write("baselines/toy/subject.yaml", manifest("['{bin}/subject_toy']"));
  seen = status("toy");
  EXPECT_EQ(seen.reason, "'subject_toy' has not been built");
  EXPECT_EQ(seen.install, "./scripts/build");
  write("baselines/toy/subject.yaml",
        manifest("['{binary}']", "launch_options: {binary: '{bin}/subject_toy'}\n"));
  seen = status("toy");
  EXPECT_EQ(seen.reason, "'subject_toy' has not been built");
  EXPECT_EQ(seen.install, "./scripts/build");
  EXPECT_EQ(status("toy:binary=/nowhere/subject_toy").reason, "'/nowhere/subject_toy' is no executable file");
  write("baselines/toy/subject.yaml", manifest("['/bin/sh']", "binary: no_such_runtime\n"));
  EXPECT_EQ(status("toy").reason, "'no_such_runtime' is not installed");
}

TEST_F(RegistryTest, ABrokenDescribeIsListedLoudly) {
  const auto broken = [&](const std::string& body, const std::string& expected) {
    script("main.sh", body);
    const SubjectStatus seen = status("toy");
    EXPECT_EQ(seen.availability, Availability::kBroken);
    EXPECT_NE(seen.reason.find(expected), std::string::npos) << seen.reason;
  };
  broken("echo 'no module x' >&2; exit 3", "exit code 3, signal 0): no module x");
  broken("echo hello", "expected one JSON object");
  broken(R"(echo '{"name":"tox","versions":{"a":"1"},"workloads":["echo"]}')", "its name is 'tox'");
  broken(R"(echo '{"name":"toy","versions":{},"workloads":["echo"]}')", "at least one version");
  broken(R"(echo '{"name":"toy","versions":{"a":"1"},"workloads":"echo"}')", "'workloads' must be a list");
  broken(R"(echo '{"name":"toy","versions":{"a":"1"}}')", "serves no workload");
}

TEST_F(RegistryTest, UnknownOptionsAreUsageErrors) {
  Registry registry = load();
  const auto description = registry.status(resolve(registry, "toy")).description;
  EXPECT_TRUE(Registry::check_options(resolve(registry, "toy:pool=8,shell=/bin/dash"), description));
  const auto refused = Registry::check_options(resolve(registry, "toy:pol=8"), description);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kUsage);
  EXPECT_NE(refused.error().message.find("did you mean 'pool'?"), std::string::npos)
      << refused.error().message;
}

TEST_F(RegistryTest, PathsFollowTheEnvironment) {
  ::setenv("TICKMARK_ROOT", root_.c_str(), 1);
  const auto root = find_root();
  ASSERT_TRUE(root);
  EXPECT_EQ(*root, root_);
  ::setenv("TICKMARK_ROOT", "/proc", 1);
  EXPECT_FALSE(find_root());
  ::unsetenv("TICKMARK_ROOT");
  EXPECT_TRUE(find_root()) << "compiled in, or above this executable";
  ::setenv("TICKMARK_BIN", "/proc", 1);
  const auto bin = find_bin();
  ASSERT_FALSE(bin);
  EXPECT_EQ(bin.error().kind, ErrorKind::kEnvironment);
  ::unsetenv("TICKMARK_BIN");
  EXPECT_TRUE(find_bin());
  EXPECT_EQ(find_program("no_such_program_anywhere"), "");
  EXPECT_EQ(find_program("sh").filename(), "sh");
  EXPECT_EQ(find_program("/bin"), "") << "a folder is no program";
}

}  // namespace
}  // namespace tickmark::process::registry_test
