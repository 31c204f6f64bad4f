// Each rule by hand: an order it allows, and one that it alone refuses.
#include "conformance/programs/acceptor.h"

#include <gtest/gtest.h>

namespace tickmark::programs::acceptor_test {
namespace {

class Written {
 public:
  Label add(Verb verb, Label in = kMain, uint16_t ms = 0, uint8_t count = 1) {
    return program.add(in, {.verb = verb, .count = count, .ms = ms});
  }
  Label to(Verb verb, Label target, Label in = kMain) {
    return program.add(in, {.verb = verb, .target = target});
  }

  /// "" = accepted, else the rule's name.
  std::string judge(const std::vector<Step>& steps, const Profile& profile = virtual_profile()) const {
    const auto refusal = Acceptor(profile).judge(program, steps);
    return refusal ? std::string(name_of(refusal->rule)) : "";
  }
  std::string judge(std::initializer_list<Label> labels, const Profile& profile = virtual_profile()) const {
    std::vector<Step> steps;
    for (const Label label : labels) steps.push_back({label, StepKind::callback});
    return judge(steps, profile);
  }

  Program program;
};

TEST(AcceptorTest, every_callback_comes_once_for_each_time_it_was_asked_for) {
  Written w;
  const Label a = w.add(Verb::immediate);
  const Label b = w.add(Verb::tick, a);
  EXPECT_EQ(w.judge({a, b}), "");
  EXPECT_EQ(w.judge({b, a}), "causality");
  EXPECT_EQ(w.judge({a, b, a}), "causality");
  EXPECT_EQ(w.judge({a}), "nothing_lost");
  EXPECT_EQ(w.judge({{a, StepKind::inside}, {b, StepKind::callback}}), "overlap");
}

TEST(AcceptorTest, ticks_then_microtasks_until_both_are_empty) {
  Written w;
  const Label m1 = w.add(Verb::microtask);
  const Label t1 = w.add(Verb::tick);
  const Label t2 = w.add(Verb::tick);
  const Label t3 = w.add(Verb::tick, m1);
  const Label m2 = w.add(Verb::microtask, m1);
  const Label i = w.add(Verb::immediate);
  EXPECT_EQ(w.judge({t1, t2, m1, m2, t3, i}), "");
  EXPECT_EQ(w.judge({t2, t1, m1, m2, t3, i}), "ticks_fifo");
  EXPECT_EQ(w.judge({m1, t1, t2, m2, t3, i}), "ticks_first");
  EXPECT_EQ(w.judge({t1, t2, m1, t3, m2, i}), "ticks_wait_for_microtasks");
  EXPECT_EQ(w.judge({t1, t2, i, m1, m2, t3}), "microtasks_before_the_loop");
  EXPECT_EQ(w.judge({t1, t2, m1, m2, i, t3}), "ticks_first");
}

TEST(AcceptorTest, jobs_are_counted) {
  Written w;
  const Label returned = w.add(Verb::async_return);
  const Label thenable = w.add(Verb::thenable);
  const Label awaited = w.add(Verb::await);
  const Label third = w.add(Verb::then, kMain, 0, 3);
  const Label plain = w.add(Verb::microtask);
  EXPECT_EQ(w.judge({awaited, plain, thenable, returned, third}), "");
  EXPECT_EQ(w.judge({awaited, plain, thenable, third, returned}), "microtasks_fifo");
  EXPECT_EQ(w.judge({plain, thenable, returned, awaited, third}, {.await_jobs = 3}), "")
      << "Node 10: three jobs behind an await";
}

TEST(AcceptorTest, one_check_phase_runs_the_immediates_set_before_it) {
  Written w;
  const Label a = w.add(Verb::immediate);
  const Label b = w.add(Verb::immediate);
  const Label c = w.add(Verb::immediate, a);
  const Label t = w.add(Verb::timeout, kMain, 1);
  EXPECT_EQ(w.judge({a, b, c, t}), "");
  EXPECT_EQ(w.judge({a, b, t, c}), "");
  EXPECT_EQ(w.judge({t, a, b, c}), "");
  EXPECT_EQ(w.judge({b, a, c, t}), "check_runs_its_own");
  EXPECT_EQ(w.judge({a, c, b, t}), "check_runs_its_own");
  EXPECT_EQ(w.judge({a, t, b, c}), "check_runs_its_own");
}

TEST(AcceptorTest, the_loop_does_not_pass_what_waits) {
  Written w;
  const Label io = w.add(Verb::fs);
  const Label i = w.add(Verb::immediate, io);
  const Label t = w.add(Verb::timeout, io, 1);
  const Label c = w.add(Verb::close, io);
  const Label next = w.add(Verb::crypto, io);
  EXPECT_EQ(w.judge({io, i, c, t, next}), "");
  EXPECT_EQ(w.judge({io, i, c, next, t}), "");
  EXPECT_EQ(w.judge({io, t, i, c, next}), "check_waits_for_immediates");
  EXPECT_EQ(w.judge({io, i, t, c, next}), "closing_waits_for_closes");
  EXPECT_EQ(w.judge({io, next, i, c, t}), "poll_takes_one_batch");
}

TEST(AcceptorTest, a_close_asked_for_while_closing_waits_for_the_next_turn) {
  Written w;
  const Label a = w.add(Verb::close);
  const Label b = w.add(Verb::close);
  const Label inner = w.add(Verb::close, a);
  const Label i = w.add(Verb::immediate, a);
  EXPECT_EQ(w.judge({a, b, i, inner}), "");
  EXPECT_EQ(w.judge({b, a, i, inner}), "") << "the order of one batch is nobody's promise";
  EXPECT_EQ(w.judge({a, inner, b, i}), "closing_waits_for_closes");
  EXPECT_EQ(w.judge({a, b, inner, i}), "check_waits_for_immediates");
}

TEST(AcceptorTest, equal_durations_fire_in_the_order_of_arming) {
  Written w;
  const Label a = w.add(Verb::timeout, kMain, 4);
  const Label b = w.add(Verb::timeout, kMain, 4);
  const Label t = w.add(Verb::tick);
  w.to(Verb::refresh, a, t);
  EXPECT_EQ(w.judge({t, b, a}), "");
  EXPECT_EQ(w.judge({t, a, b}), "equal_durations_fifo");
}

TEST(AcceptorTest, a_timeout_armed_by_a_timeout_waits_a_turn) {
  Written w;
  const Label a = w.add(Verb::timeout, kMain, 1);
  const Label inner = w.add(Verb::timeout, a, 1);
  const Label i = w.add(Verb::immediate, a);
  EXPECT_EQ(w.judge({a, i, inner}), "");
  EXPECT_EQ(w.judge({a, inner, i}), "timers_wait_a_turn");
  EXPECT_EQ(w.judge({a, inner, i}, {.phase_has_one_pass = false}), "") << "libuv before 1.48";
}

TEST(AcceptorTest, a_list_runs_once_a_pass) {
  Written w;
  const Label a = w.add(Verb::timeout, kMain, 4);
  const Label i = w.add(Verb::immediate, a);
  const Label b = w.add(Verb::timeout, kMain, 4);
  const Label other = w.add(Verb::timeout, kMain, 1);
  EXPECT_EQ(w.judge({a, b, other, i}), "");
  EXPECT_EQ(w.judge({a, other, i, b}), "");
  EXPECT_EQ(w.judge({a, other, b, i}), "timers_wait_a_turn");
}

// The tick comes too late: the list has been put back, and is looked at as if it had not run.
TEST(AcceptorTest, a_list_is_put_back_before_the_ticks) {
  Written w;
  const Label often = w.add(Verb::interval, kMain, 10, 2);
  const Label other = w.add(Verb::timeout, often, 4);
  const Label t = w.add(Verb::tick, often);
  w.program.add(t, {.verb = Verb::block, .ms = 4});
  w.to(Verb::refresh, often, t);
  EXPECT_EQ(w.judge({often, t, other, often}), "");
  EXPECT_EQ(w.judge({often, t, often, other}), "");
}

TEST(AcceptorTest, a_list_that_cannot_expire_earlier_comes_later) {
  Written w;
  const Label early = w.add(Verb::timeout, kMain, 1);
  const Label late = w.add(Verb::timeout, kMain, 4);
  EXPECT_EQ(w.judge({early, late}), "");
  EXPECT_EQ(w.judge({late, early}), "earlier_list_first");
}

// head (7), then late (7) in one list; short (1) between them: the list of the head may expire first, as a
// whole.
TEST(AcceptorTest, a_list_runs_as_a_whole) {
  Written w;
  const Label head = w.add(Verb::timeout, kMain, 7);
  const Label io = w.add(Verb::fs);
  const Label early = w.add(Verb::timeout, io, 1);
  const Label late = w.add(Verb::timeout, io, 7);
  const Label i = w.add(Verb::immediate, head);
  EXPECT_EQ(w.judge({io, head, late, early, i}), "");
  EXPECT_EQ(w.judge({io, head, i, early, late}), "");
  EXPECT_EQ(w.judge({io, head, i, late, early}), "earlier_list_first") << "the list has been put back since";
  EXPECT_EQ(w.judge({io, head, late, i, early}), "overdue_before_leaving")
      << "what was armed with it and lasts less is due, too";
}

TEST(AcceptorTest, durations_that_have_passed_add_up) {
  Written w;
  const Label longer = w.add(Verb::timeout, kMain, 4);
  const Label a = w.add(Verb::timeout, kMain, 2);
  const Label b = w.add(Verb::timeout, a, 3);
  EXPECT_EQ(w.judge({a, longer, b}), "");
  EXPECT_EQ(w.judge({a, b, longer}), "earlier_list_first") << "2 + 3 > 4";
}

TEST(AcceptorTest, a_block_makes_timeouts_overdue) {
  Written w;
  const Label t = w.add(Verb::timeout, kMain, 3);
  const Label i = w.add(Verb::immediate);
  w.add(Verb::block, kMain, 4);
  EXPECT_EQ(w.judge({t, i}), "");
  EXPECT_EQ(w.judge({i, t}), "overdue_before_the_loop_goes_on");
  EXPECT_EQ(w.judge({i, t}, {.clock_slack_ms = 2}), "") << "2 ms are not 3";
}

TEST(AcceptorTest, intervals_and_what_is_cleared) {
  Written w;
  const Label often = w.add(Verb::interval, kMain, 1, 3);
  const Label once = w.add(Verb::timeout, kMain, 9);
  w.to(Verb::clear, once, often);
  const Label i = w.add(Verb::immediate, often);
  EXPECT_EQ(w.judge({often, i, often, often}), "");
  EXPECT_EQ(w.judge({often, i, often, often, often}), "causality");
  EXPECT_EQ(w.judge({often, i, often}), "nothing_lost");
  EXPECT_EQ(w.judge({often, i, often, once}), "causality");
}

TEST(AcceptorTest, before_node_11_queues_drain_behind_a_list_and_a_check_phase) {
  Written w;
  const Label a = w.add(Verb::immediate);
  const Label b = w.add(Verb::immediate);
  const Label t = w.add(Verb::tick, a);
  EXPECT_EQ(w.judge({a, t, b}), "");
  EXPECT_EQ(w.judge({a, b, t}), "ticks_first");
  const Profile node10{.drains_between = false};
  EXPECT_EQ(w.judge({a, b, t}, node10), "");
  EXPECT_EQ(w.judge({a, t, b}, node10), "check_runs_its_own");
}

TEST(AcceptorTest, errors_cut_the_drain_short) {
  Written w;
  const Label a = w.add(Verb::immediate);
  const Label t = w.add(Verb::tick, a);
  w.add(Verb::fail, a);
  const Label b = w.add(Verb::immediate);
  const Step thrown{a, StepKind::uncaught};
  const Step ran_a{a, StepKind::callback}, ran_b{b, StepKind::callback}, ran_t{t, StepKind::callback};
  EXPECT_EQ(w.judge({ran_a, thrown, ran_b, ran_t}), "");
  EXPECT_EQ(w.judge({ran_a, thrown, ran_t, ran_b}), "check_runs_its_own");
  EXPECT_EQ(w.judge({ran_a, ran_t, thrown, ran_b}), "errors_at_once");
}

// Behind b there would have been a drain; the phase has failed, even if b is cleared by then.
TEST(AcceptorTest, a_tick_that_fails_between_two_immediates_fails_their_phase) {
  Written w;
  const Label a = w.add(Verb::immediate);
  const Label b = w.add(Verb::immediate);
  const Label t = w.add(Verb::tick, a);
  const Label c = w.add(Verb::immediate, t);
  const Label k = w.add(Verb::close, t);
  const Step thrown{t, StepKind::uncaught};
  const auto ran = [](Label label) { return Step{label, StepKind::callback}; };
  Written cleared = w;
  cleared.to(Verb::clear, b, t);
  cleared.add(Verb::fail, t);
  EXPECT_EQ(cleared.judge({ran(a), ran(t), thrown, ran(c), ran(k)}), "");
  EXPECT_EQ(cleared.judge({ran(a), ran(t), thrown, ran(k), ran(c)}), "check_runs_its_own");
  w.add(Verb::fail, t);
  EXPECT_EQ(w.judge({ran(a), ran(t), thrown, ran(b), ran(k), ran(c)}), "");
  EXPECT_EQ(w.judge({ran(a), ran(b), ran(t), thrown, ran(k), ran(c)}), "ticks_first");
}

TEST(AcceptorTest, a_tick_that_fails_behind_the_last_immediate_leaves_their_phase) {
  Written w;
  const Label a = w.add(Verb::immediate);
  const Label t = w.add(Verb::tick, a);
  const Label c = w.add(Verb::immediate, t);
  const Label k = w.add(Verb::close, t);
  w.add(Verb::fail, t);
  const Step thrown{t, StepKind::uncaught};
  const auto ran = [](Label label) { return Step{label, StepKind::callback}; };
  EXPECT_EQ(w.judge({ran(a), ran(t), thrown, ran(k), ran(c)}), "");
  EXPECT_EQ(w.judge({ran(a), ran(t), thrown, ran(c), ran(k)}), "closing_waits_for_closes");
}

TEST(AcceptorTest, what_a_reaction_throws_is_a_rejection) {
  Written w;
  const Label a = w.add(Verb::then);
  w.add(Verb::fail, a);
  const Label t = w.add(Verb::tick);
  const Label m = w.add(Verb::microtask);
  const Step rejected{a, StepKind::unhandled};
  const Step ran_a{a, StepKind::callback}, ran_m{m, StepKind::callback}, ran_t{t, StepKind::callback};
  EXPECT_EQ(w.judge({ran_t, ran_a, ran_m, rejected}), "");
  EXPECT_EQ(w.judge({ran_t, ran_a, rejected, ran_m}), "rejections_after_the_drain");
}

TEST(AcceptorTest, a_refusal_says_what_came_what_could_and_why) {
  Written w;
  w.add(Verb::immediate);
  w.add(Verb::tick);
  const auto refusal = Acceptor({}).judge(w.program, {{1, StepKind::callback}});
  ASSERT_TRUE(refusal);
  EXPECT_EQ(
      to_text(w.program, *refusal),
      "immediate1 came as number 1, but only tick2 could: after a callback every pending tick runs before "
      "anything else (ticks_first)");
}

TEST(AcceptorTest, what_an_error_has_left_over_is_out_of_the_strict_tier) {
  Written w;
  const Label a = w.add(Verb::immediate);
  const Label t = w.add(Verb::tick, a);
  w.add(Verb::fail, t);
  const Label u = w.add(Verb::tick, a);
  const Label timer = w.add(Verb::timeout, t, 1);
  const auto refusal_of = [&](const std::vector<Step>& steps) {
    return Acceptor({}).judge(w.program, steps);
  };
  const Step ran_a{a, StepKind::callback}, ran_t{t, StepKind::callback}, ran_u{u, StepKind::callback};
  const auto before = refusal_of({ran_a, ran_u});
  ASSERT_TRUE(before);
  EXPECT_TRUE(before->is_strict);
  const auto behind = refusal_of({ran_a, ran_t, {t, StepKind::uncaught}, {timer, StepKind::callback}, ran_a});
  ASSERT_TRUE(behind);
  EXPECT_FALSE(behind->is_strict);
}

}  // namespace
}  // namespace tickmark::programs::acceptor_test
