// The rules of the wire layer: a server without a fault passes them all, and each is failed by a server with
// the fault it is about.
#include <future>
#include <gtest/gtest.h>

#include "conformance/tests/play_rules.h"

namespace tickmark::conformance {
namespace {

const std::vector<Rule>& wire_rules() {
  static const std::vector<Rule> rules = [] {
    auto all = load_rules(kSource / "conformance/rules").value();
    std::erase_if(all, [](const Rule& rule) { return rule.layer != Layer::wire; });
    return all;
  }();
  return rules;
}

std::vector<Rule> of_workload(std::string_view workload) {
  std::vector<Rule> rules = wire_rules();
  std::erase_if(rules, [&](const Rule& rule) { return rule.workload != workload; });
  return rules;
}

std::vector<Verdict> play_wire(const std::vector<std::string>& server, const std::vector<Rule>& rules,
                               unsigned repeat,
                               std::vector<std::string> serves = {"sockets", "hello", "cpu"}) {
  const ScratchFolder scratch;
  ConformPlan plan;
  plan.subject = "server";
  plan.argv = {kBin + "player_wire", "--"};
  plan.argv.insert(plan.argv.end(), server.begin(), server.end());
  plan.argv.emplace_back("--");
  plan.wire = true;
  plan.serves = std::move(serves);
  plan.rules = &rules;
  plan.repeat = repeat;
  plan.folder = scratch.path();
  return conform(plan, run_process).value();
}

std::vector<Verdict> play_bad(const std::string& fault, const std::vector<Rule>& rules, unsigned repeat = 1) {
  return play_wire({kBin + "bad_server", fault}, rules, repeat);
}

TEST(Wire, a_server_without_a_fault_passes_every_rule) {
  const auto verdicts = play_bad("none", wire_rules(), 3);
  EXPECT_GE(verdicts.size(), 28u);
  for (const Verdict& verdict : verdicts) {
    EXPECT_EQ(verdict.kind, VerdictKind::pass) << describe(verdict);
    EXPECT_EQ(verdict.runs, 3u) << verdict.rule;
  }
}

TEST(Wire, the_reference_loop_passes_every_rule) {
  for (const Verdict& verdict : play_wire({kBin + "subject_reference_loop"}, wire_rules(), 3))
    EXPECT_EQ(verdict.kind, VerdictKind::pass) << describe(verdict);
}

TEST(Wire, a_workload_that_is_not_served_is_unsupported) {
  for (const Verdict& verdict :
       play_wire({kBin + "bad_server", "none"}, of_workload("sockets"), 1, {"hello"})) {
    EXPECT_EQ(verdict.kind, VerdictKind::unsupported) << describe(verdict);
    EXPECT_NE(verdict.reason.find("sockets"), std::string::npos);
  }
}

struct Conviction {
  const char* fault;
  const char* rule;
};

constexpr Conviction kConvictions[] = {
    {"swaps_messages", "echo_keeps_the_order_of_a_thousand_messages"},
    {"wants_whole_messages", "bytes_said_one_by_one_come_back"},
    {"resets_at_the_end", "end_comes_after_the_last_byte"},
    {"loses_the_last_bytes", "message_with_the_end_in_its_segment_is_answered"},
    {"resets_at_the_end", "end_without_a_byte_is_answered_with_the_end"},
    {"hangs_up_on_silence", "connection_stays_open_while_its_client_is_silent"},
    {"loses_when_it_does_not_fit", "slow_reader_loses_nothing"},
    {"serves_one_at_a_time", "slow_reader_stalls_nobody"},
    {"swallows", "who_does_not_read_is_not_read_from"},
    {"dies_of_reset", "reset_leaves_others_alone"},
    {"dies_of_reset", "fifty_resets_at_once_are_survived"},
    {"serves_one_at_a_time", "silent_connections_stall_nobody"},
    {"takes_sixty_connections", "nobody_starves_in_a_burst"},
    {"takes_sixty_connections", "connections_left_at_once_are_forgotten"},
    {"serves_one_at_a_time", "busy_neighbour_starves_nobody"},
    {"answers_the_last_first", "pipelined_requests_are_answered_in_order"},
    {"takes_one_request_per_read", "two_requests_in_one_segment_are_both_answered"},
    {"wants_whole_messages", "request_cut_at_every_byte_is_answered"},
    {"serves_one_at_a_time", "half_a_request_stalls_nobody"},
    {"loses_the_last_bytes", "request_with_the_end_in_its_segment_is_answered"},
    {"takes_one_request_per_read", "pipelined_requests_before_the_end_are_all_answered"},
    {"ends_after_each_answer", "connection_persists_between_requests"},
    {"never_ends", "connection_close_is_the_last_request"},
    {"never_ends", "http_1_0_is_answered_and_ended"},
    {"answers_nonsense_200", "nonsense_is_refused_and_disturbs_nobody"},
    {"swallows", "who_reads_no_answers_is_not_read_from"},
    {"dies_of_reset", "reset_amid_answers_is_survived"},
    {"works_one_at_a_time", "offloaded_work_stalls_nobody"},
};

// All at once: most of the time each waits for what a bad server does not do.
TEST(Wire, every_fault_is_found_by_its_rule) {
  std::vector<std::future<Verdict>> found;
  for (const Conviction& conviction : kConvictions) {
    found.push_back(std::async(std::launch::async, [&conviction] {
      std::vector<Rule> rules = wire_rules();
      std::erase_if(rules,
                    [&](const Rule& rule) { return rule.id != std::string("wire/") + conviction.rule; });
      return play_bad(conviction.fault, rules, 3).at(0);
    }));
  }
  for (std::size_t i = 0; i < found.size(); ++i) {
    const Verdict verdict = found[i].get();
    EXPECT_TRUE(verdict.is_violation()) << kConvictions[i].fault << ": " << describe(verdict);
  }
}

TEST(Wire, every_rule_is_failed_by_some_server) {
  for (const Rule& rule : wire_rules()) {
    EXPECT_TRUE(std::ranges::any_of(
        kConvictions, [&](const Conviction& one) { return rule.id == std::string("wire/") + one.rule; }))
        << rule.id << ": which server fails it?";
  }
}

}  // namespace
}  // namespace tickmark::conformance
