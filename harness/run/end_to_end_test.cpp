// One run on real subjects, from plan to analysis: correctness and identities only, never speed.

#include <cstdlib>
#include <gtest/gtest.h>
#include <signal.h>
#include <thread>
#include <unistd.h>

#include "harness/output/bundle_reader.h"
#include "harness/process/paths.h"
#include "harness/run/run.h"
#include "harness/run/together.h"
#include "harness/run/trial.h"

namespace tickmark::run {
namespace {

namespace fs = std::filesystem;
using output::flag_at;
using output::integer_at;
using output::Json;
using output::list_at;
using output::member;
using output::number_at;
using output::text_at;

class EndToEnd : public testing::Test {
 protected:
  void SetUp() override {
    auto registry = process::Registry::load({TICKMARK_SOURCE_DIR, fs::path(TICKMARK_BINARY_DIR) / "bin"});
    ASSERT_TRUE(registry) << registry.error().message;
    registry_.emplace(std::move(*registry));
    std::string name = (fs::temp_directory_path() / "end_to_end_XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { fs::remove_all(folder_); }

  RunRequest request() {
    RunRequest request;
    request.subjects = {"thread_per_connection", "raw_epoll"};
    request.suite = "smoke";
    request.suites_folder = fs::path(TICKMARK_SOURCE_DIR) / "harness/run/suites";
    request.overrides.workloads = {"sockets"};
    request.overrides.connections = 32;
    request.overrides.rate_per_s = 2000;
    request.overrides.duration = 100ms;
    request.seed = 7;
    request.output = folder_ / "bundle";
    request.command = "tickmark run";
    request.tool = {{"name", "tickmark"}};
    return request;
  }

  std::optional<process::Registry> registry_;
  fs::path folder_;
};

void check_counts(const Json& trial) {
  for (const Json& lane : list_at(trial, "lanes")) {
    const Json& counts = member(lane, "counts");
    int64_t sum = 0;
    for (const char* part : {"completed", "errors", "timeouts", "in_flight", "unsent"}) {
      sum += integer_at(counts, part).value_or(-1);
    }
    EXPECT_EQ(sum, integer_at(counts, "scheduled")) << counts;
    EXPECT_LE(std::abs(number_at(lane, "little_error").value_or(1)), 0.001);
    EXPECT_EQ(integer_at(lane, "wrong_replies"), 0);
    EXPECT_EQ(integer_at(lane, "connections_established"), 32);
  }
}

TEST_F(EndToEnd, ARunBecomesABundleThatAddsUp) {
  auto outcome = run(*registry_, request());
  ASSERT_TRUE(outcome) << outcome.error().message;
  EXPECT_EQ(outcome->status, "complete");
  EXPECT_EQ(outcome->exit_code, 0);
  auto bundle = output::read_bundle(outcome->bundle);
  ASSERT_TRUE(bundle) << bundle.error().message;
  EXPECT_TRUE(bundle->notes.empty());
  const auto plan = plan_from_json(bundle->plan);
  ASSERT_TRUE(plan) << plan.error().message;
  EXPECT_EQ(bundle->trials.size(), plan->schedule.size());
  EXPECT_EQ(bundle->trials.size(), 6u);  // open, closed, storm x two subjects
  for (const Json& trial : bundle->trials) {
    const std::string status = text_at(trial, "status");
    EXPECT_TRUE(status == "ok" || status == "saturated") << trial.dump(1);
    check_counts(trial);
    const Json& metrics = member(trial, "metrics");
    EXPECT_GT(number_at(metrics, "cpu_ns_per_request").value_or(0), 0);
    EXPECT_GT(number_at(metrics, "throughput_per_s").value_or(0), 0);
    const bool storm = text_at(trial, "cell").find("storm") != std::string::npos;
    EXPECT_EQ(number_at(metrics, "memory_bytes").has_value(), !storm);
    EXPECT_EQ(member(trial, "validity").size(), 4u);
    EXPECT_GT(number_at(member(trial, "environment"), "canary_ns").value_or(0), 0);
    EXPECT_EQ(number_at(member(trial, "environment"), "canary_usual_ns").has_value(),
              integer_at(trial, "trial").value_or(0) >= 5)
        << "five canaries make a median";
    EXPECT_EQ(integer_at(member(trial, "exit"), "code"), 0);
  }
  EXPECT_FALSE(list_at(bundle->analysis, "comparisons").empty());
  EXPECT_TRUE(fs::file_size(outcome->bundle / "histograms.hlog") > 0);
  EXPECT_EQ(text_at(bundle->machine, "schema"), "tickmark.machine/1");
}

TEST_F(EndToEnd, AValueThatASubjectRefusesIsAUsageErrorBeforeTheFirstTrial) {
  RunRequest bad = request();
  bad.subjects = {"raw_epoll", "reference_loop:slowdown=fast"};
  const auto refused = run(*registry_, bad);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kUsage);
  EXPECT_NE(refused.error().message.find("slowdown=fast: expected a percentage"), std::string::npos)
      << refused.error().message;
  EXPECT_FALSE(fs::exists(bad.output));
}

TEST_F(EndToEnd, APlanCanBeRepeated) {
  RunRequest first = request();
  first.subjects = {"raw_epoll"};
  ASSERT_TRUE(run(*registry_, first));
  RunRequest again;
  again.plan_file = first.output / "plan.json";
  again.output = folder_ / "again";
  auto outcome = run(*registry_, again);
  ASSERT_TRUE(outcome) << outcome.error().message;
  auto a = output::read_bundle(first.output), b = output::read_bundle(again.output);
  ASSERT_TRUE(a && b);
  EXPECT_EQ(a->plan, b->plan);
  ASSERT_EQ(a->trials.size(), b->trials.size());
  for (size_t i = 0; i < a->trials.size(); ++i) EXPECT_EQ(a->trials[i]["seed"], b->trials[i]["seed"]);
}

TEST_F(EndToEnd, CalibratesTheSubjectAtHand) {
  RunRequest shares = request();
  shares.subjects = {"raw_epoll"};
  shares.overrides.rate_per_s.reset();
  auto outcome = run(*registry_, shares);
  ASSERT_TRUE(outcome) << outcome.error().message;
  auto bundle = output::read_bundle(outcome->bundle);
  ASSERT_TRUE(bundle);
  const auto capacity =
      number_at(member(member(bundle->plan, "calibration"), "sockets_32"), "capacity_per_s");
  ASSERT_TRUE(capacity);
  for (const Json& cell : list_at(bundle->plan, "cells")) {
    if (text_at(cell, "loop") != "open") continue;
    EXPECT_NEAR(*number_at(cell, "rate_per_s"), *capacity * *number_at(cell, "capacity_share"),
                *capacity * 0.01);
  }
}

TEST_F(EndToEnd, InterruptionKeepsWhatWasMeasured) {
  RunRequest long_run = request();
  long_run.overrides.duration = 30s;
  // The signal comes when the bundle exists: then a trial is running or about to.
  std::jthread killer([&](std::stop_token stop) {
    while (!stop.stop_requested() && !fs::exists(long_run.output / "plan.json"))
      std::this_thread::sleep_for(5ms);
    if (!stop.stop_requested()) ::kill(::getpid(), SIGINT);
  });
  auto outcome = run(*registry_, long_run);
  killer.request_stop();
  killer.join();
  ASSERT_TRUE(outcome) << outcome.error().message;
  EXPECT_EQ(outcome->status, "interrupted");
  EXPECT_EQ(outcome->exit_code, 130);
  auto bundle = output::read_bundle(long_run.output);
  ASSERT_TRUE(bundle) << bundle.error().message;
  EXPECT_EQ(bundle->status(), "interrupted");
  EXPECT_LE(bundle->trials.size(), 1u);
  for (const Json& trial : bundle->trials) EXPECT_EQ(text_at(trial, "status"), "interrupted");
}

TEST_F(EndToEnd, NothingIsWrittenForBadInput) {
  RunRequest bad = request();
  bad.subjects = {"raw_epol"};
  auto outcome = run(*registry_, bad);
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().kind, ErrorKind::kUsage);
  bad = request();
  bad.subjects = {"raw_epoll", "raw_epoll"};
  EXPECT_FALSE(run(*registry_, bad));
  bad = request();
  bad.overrides.connections = 1'000'000;
  outcome = run(*registry_, bad);
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().kind, ErrorKind::kEnvironment);
  EXPECT_NE(outcome.error().message.find("file descriptors"), std::string::npos);
  EXPECT_TRUE(fs::is_empty(folder_));
}

TEST_F(EndToEnd, WhatSpeaksNoneOfTheWorkloadsIsSkipped) {
  RunRequest skipped = request();
  skipped.subjects = {"raw_epoll"};
  skipped.overrides.workloads = {"hello"};
  auto outcome = run(*registry_, skipped);
  ASSERT_TRUE(outcome) << outcome.error().message;
  EXPECT_EQ(outcome->exit_code, 77);
  EXPECT_FALSE(outcome->notes.empty());
  EXPECT_TRUE(fs::is_empty(folder_));
}

TEST_F(EndToEnd, ADryRunMeasuresNothing) {
  RunRequest dry = request();
  dry.overrides = {};
  auto plan = dry_run(*registry_, dry);
  ASSERT_TRUE(plan) << plan.error().message;
  EXPECT_GT(plan->estimated_measured_s, 0);
  EXPECT_NE(plan_text(*plan).find("sockets/closed/5000"), std::string::npos);
  EXPECT_TRUE(fs::is_empty(folder_));
}

/// A program that speaks the contract and then does something else.
process::ResolvedSubject scripted(const std::string& script) {
  process::ResolvedSubject subject;
  subject.name.name = subject.id = subject.manifest.name = "scripted";
  subject.command = {"/bin/sh", "-c", script};
  return subject;
}

PlannedCell light_cell() {
  PlannedCell cell;
  cell.id = "sockets/open/8/r1000";
  cell.workload = "sockets";
  cell.connections = 8;
  cell.rate_per_s = 1000;
  cell.together = true;
  cell.duration = 200ms;
  cell.params = {{"size", "64"}};
  cell.lanes.push_back({"main", "", 8, load::Arrivals::kPoisson, 1000});
  return cell;
}

class Together : public EndToEnd {
 protected:
  std::vector<TrialOutcome> run(const std::vector<process::ResolvedSubject>& subjects) {
    ClientCache clients(folder_, 1);
    std::vector<PlannedTrial> trials;
    for (const auto& subject : subjects) {
      trials.push_back({static_cast<int>(trials.size()), 0, cell_.id, subject.id, 1});
    }
    std::vector<TrialSetup> setups(subjects.size());
    for (size_t i = 0; i < subjects.size(); ++i) {
      setups[i].trial = &trials[i];
      setups[i].cell = &cell_;
      setups[i].subject = &subjects[i];
      setups[i].clients = &clients;
      setups[i].cpus = CpuRoles::of_this_process();
      setups[i].warmup = warmup_;
    }
    auto outcomes = run_together(setups);
    EXPECT_TRUE(outcomes) << outcomes.error().message;
    for (size_t i = 0; outcomes && i < subjects.size(); ++i) {
      records_.push_back(trial_to_json((*outcomes)[i], trials[i], cell_));
    }
    return outcomes ? std::move(*outcomes) : std::vector<TrialOutcome>();
  }
  process::ResolvedSubject raw_epoll() { return *registry_->resolve(*SubjectName::parse("raw_epoll")); }

  PlannedCell cell_ = light_cell();
  std::optional<Nanos> warmup_;
  std::vector<Json> records_;
};

TEST_F(Together, a_trial_warms_up_as_long_as_it_is_told_and_records_it) {
  cell_.warmup = 20ms;
  run({raw_epoll()});
  warmup_ = 70ms;
  run({raw_epoll()});
  EXPECT_EQ(records_[0]["warmup_ns"], 20'000'000);
  EXPECT_EQ(records_[1]["warmup_ns"], 70'000'000);
}

TEST_F(Together, each_subject_has_its_own_connections_requests_and_cost) {
  const auto outcomes = run({raw_epoll(), raw_epoll()});
  ASSERT_EQ(outcomes.size(), 2u);
  for (const Json& record : records_) {
    EXPECT_TRUE(text_at(record, "status") == "ok" || text_at(record, "status") == "saturated")
        << record.dump(1);
    ASSERT_EQ(list_at(record, "lanes").size(), 1u);
    EXPECT_EQ(integer_at(list_at(record, "lanes")[0], "connections_established"), 8);
    const Json& metrics = member(record, "metrics");
    EXPECT_GT(number_at(metrics, "cpu_ns_per_request").value_or(0), 0);
    EXPECT_TRUE(number_at(metrics, "memory_bytes_per_connection"));
    EXPECT_FALSE(number_at(metrics, "kernel_memory_bytes_per_connection"))
        << "that is the machine's, of both";
    // What the subject itself counted is what its own lane was answered, and nothing of the other's.
    const auto echoed = integer_at(member(record, "subject_final"), "bytes");
    ASSERT_TRUE(echoed) << record.dump(1);
    EXPECT_EQ(*echoed, integer_at(list_at(record, "lanes")[0], "bytes_received"));
  }
}

TEST_F(Together, one_that_does_not_start_spoils_the_trial_of_the_other_and_is_named) {
  const auto outcomes = run({raw_epoll(), scripted("echo oops >&2; exit 3")});
  ASSERT_EQ(outcomes.size(), 2u);
  EXPECT_EQ(outcomes[0].status, "invalid");
  EXPECT_NE(outcomes[0].reason.find("scripted, which ran beside it, crashed"), std::string::npos)
      << outcomes[0].reason;
  EXPECT_EQ(outcomes[1].status, "crashed");
}

TEST_F(EndToEnd, FaultsOfASubjectAreStatuses) {
  PlannedCell cell;
  cell.id = "sockets/closed/4";
  cell.workload = "sockets";
  cell.open_loop = false;
  cell.connections = 4;
  cell.duration = 100ms;
  cell.params = {{"size", "64"}};
  cell.lanes.push_back({"main", "", 4, load::Arrivals::kClosed, 0});
  const PlannedTrial trial{0, 0, cell.id, "scripted", 1};
  ClientCache clients(folder_, 1);
  TrialSetup setup;
  setup.trial = &trial;
  setup.cell = &cell;
  setup.clients = &clients;
  setup.cpus = CpuRoles::of_this_process();
  const std::pair<const char*, const char*> cases[] = {{"echo oops >&2; exit 3", "crashed"},
                                                       {"kill -SEGV $$", "crashed"}};
  for (const auto& [script, status] : cases) {
    const auto subject = scripted(script);
    setup.subject = &subject;
    auto outcome = run_trial(setup);
    ASSERT_TRUE(outcome) << outcome.error().message;
    EXPECT_EQ(outcome->status, status) << script << ": " << outcome->reason;
    EXPECT_FALSE(outcome->reason.empty());
    const Json record = trial_to_json(*outcome, trial, cell);
    EXPECT_EQ(text_at(record, "status"), status);
    EXPECT_FALSE(record.contains("metrics"));
  }
}

}  // namespace
}  // namespace tickmark::run
