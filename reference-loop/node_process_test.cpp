// How a process begins and ends: main as a script and as a module, 'beforeExit', 'exit', exit codes. Every
// list is what Node prints for the same program.
#include "reference-loop/node_test.h"
#include "reference-loop/pool.h"

namespace refloop::node_process_test {
namespace {

struct NodeProcessTest : NodeTest {
  NodeProcessTest() {
    node.events.exit = [this](int code) { log.push_back("exit " + std::to_string(code)); };
  }
};

Log module_log(NodeVersion version) {
  NodeTest* test = nullptr;
  struct Program : NodeTest {
    using NodeTest::NodeTest;
    void TestBody() override {}
  } program(version);
  test = &program;
  NodeLayer& node = program.node;
  node.run_main(
      [&, test] {
        node.set_timeout(test->note("timeout"), 1);
        node.set_immediate(test->note("immediate"));
        node.next_tick(test->note("tick"));
        node.queue_microtask(test->note("microtask"));
        busy_for(*test->loop, 3ms);
        test->log.push_back("main");
      },
      0, MainKind::module);
  test->loop->run();
  return test->log;
}

TEST(NodeModule, microtasks_precede_ticks_after_a_modules_main) {
  for (const auto version : {NodeVersion::node22, NodeVersion::node24, NodeVersion::node26}) {
    EXPECT_EQ(module_log(version), (Log{"main", "microtask", "tick", "timeout", "immediate"}));
  }
}

TEST(NodeModule, node_20_runs_it_in_poll_so_that_immediates_precede_overdue_timeouts) {
  EXPECT_EQ(module_log(NodeVersion::node20), (Log{"main", "microtask", "tick", "immediate", "timeout"}));
}

TEST_F(NodeProcessTest, a_modules_error_is_uncaught_four_jobs_later_and_delays_no_tick) {
  catch_errors();
  node.run(
      [&] {
        Promise chain = Promise::resolved(node);
        for (int i = 1; i <= 6; ++i) chain = chain.then(note("c" + std::to_string(i)));
        node.next_tick(note("tick"));
        node.throw_error(std::string("main"));
      },
      0, MainKind::module);
  EXPECT_EQ(log, (Log{"c1", "c2", "c3", "c4", "!!main", "c5", "c6", "tick", "exit 0"}));
}

TEST_F(NodeProcessTest, before_exit_comes_again_whenever_the_loop_ran_meanwhile) {
  int times = 0;
  node.events.before_exit = [&](int code) {
    log.push_back("before " + std::to_string(code));
    node.next_tick(note("tick"));
    node.queue_microtask(note("microtask"));
    if (++times < 3) node.set_immediate(note("immediate"));
  };
  node.set_exit_code(3);
  EXPECT_EQ(node.run([] {}), 3);
  EXPECT_EQ(log, (Log{"before 3", "tick", "microtask", "immediate", "before 3", "tick", "microtask",
                      "immediate", "before 3", "tick", "microtask", "exit 3"}));
}

TEST_F(NodeProcessTest, before_exit_that_fails_is_not_drained_and_comes_again) {
  catch_errors();
  int times = 0;
  node.events.before_exit = [&](int) {
    log.push_back("before");
    node.next_tick(note("tick"));
    if (times++ < 2) node.throw_error({});
  };
  EXPECT_EQ(node.run([] {}), 0);
  EXPECT_EQ(log, (Log{"before", "!", "tick", "before", "!", "tick", "before", "tick", "exit 0"}));
}

TEST_F(NodeProcessTest, unreferenced_work_does_not_delay_the_end) {
  EXPECT_EQ(node.run([&] {
    node.unref(node.set_timeout(note("never"), 10'000));
    node.unref(node.set_immediate(note("never")));
  }),
            0);
  EXPECT_EQ(log, Log{"exit 0"});
}

TEST_F(NodeProcessTest, exit_refuses_ticks_and_runs_microtasks_and_may_change_the_code) {
  node.events.exit = [&](int code) {
    log.push_back("exit " + std::to_string(code));
    node.next_tick(note("never"));
    node.set_immediate(note("never"));
    node.queue_microtask(note("microtask"));
    Promise::resolved(node).then(note("reaction"));
    node.set_exit_code(9);
  };
  EXPECT_EQ(node.run([] {}), 9);
  EXPECT_EQ(log, (Log{"exit 0", "microtask", "reaction"}));
  EXPECT_TRUE(node.is_exiting());
}

TEST_F(NodeProcessTest, an_error_in_exit_does_not_emit_it_again) {
  node.events.exit = [&](int) {
    log.push_back("exit");
    node.throw_error(std::string("exit"));
  };
  EXPECT_EQ(node.run([] {}), 1);
  EXPECT_EQ(log, Log{"exit"});
}

TEST_F(NodeProcessTest, an_error_in_exit_that_is_handled_keeps_the_code) {
  catch_errors();
  node.events.exit = [&](int) { node.throw_error(std::string("exit")); };
  EXPECT_EQ(node.run([] {}), 0);
  EXPECT_EQ(log, Log{"!exit"});
}

TEST_F(NodeProcessTest, calling_exit_cuts_ticks_microtasks_siblings_and_everything_else) {
  node.events.exit = [&](int code) {
    log.push_back("exit " + std::to_string(code));
    node.queue_microtask(note("never"));
  };
  TestTimer loop_timer(*loop);
  EXPECT_EQ(node.run([&] {
    node.next_tick(note("tick"));
    loop_timer.start_in(0ms, note("timer"));
    node.set_immediate([&] {
      log.push_back("immediate");
      node.next_tick(note("never"));
      node.queue_microtask(note("never"));
      node.set_timeout(note("never"), 1);
      loop_timer.start_in(0ms, note("never"));
      loop_timer.close([](Handle& self) { static_cast<TestTimer&>(self).on_fire(); });
      node.exit(5);
    });
    node.set_immediate(note("never"));
  }),
            5);
  EXPECT_EQ(log, (Log{"tick", "timer", "immediate", "exit 5"}));
}

TEST_F(NodeProcessTest, calling_exit_in_main_turns_no_loop) {
  EXPECT_EQ(node.run([&] {
    node.next_tick(note("never"));
    node.set_immediate(note("never"));
    node.exit(4);
  }),
            4);
  EXPECT_EQ(log, Log{"exit 4"});
}

TEST_F(NodeProcessTest, calling_exit_again_in_exit_replaces_the_code_and_ends_at_once) {
  node.events.exit = [&](int code) {
    log.push_back("exit " + std::to_string(code));
    node.exit(9);
  };
  EXPECT_EQ(node.run([&] { node.set_immediate([&] { node.exit(4); }); }), 9);
  EXPECT_EQ(log, Log{"exit 4"});
}

TEST_F(NodeProcessTest, exit_may_be_called_in_before_exit_and_in_an_error_handler) {
  node.events.before_exit = [&](int) { node.exit(6); };
  EXPECT_EQ(node.run([] {}), 6);
  EXPECT_EQ(log, Log{"exit 6"});

  NodeTest* const outer = this;
  struct Program : NodeTest {
    void TestBody() override {}
  } program;
  program.node.events.uncaught_exception = [&](const Value&, ErrorOrigin) { program.node.exit(4); };
  EXPECT_EQ(program.node.run([&] {
    program.node.next_tick(program.fail("tick"));
    program.node.next_tick(outer->note("never"));
  }),
            4);
}

TEST_F(NodeProcessTest, handles_can_be_closed_after_exit_and_their_close_callbacks_run) {
  TestTimer timer(*loop);
  node.run([&] {
    timer.start_in(1ms, note("never"), 1ms);
    node.exit();
  });
  timer.on_fire = note("closed");
  timer.close([](Handle& self) { static_cast<TestTimer&>(self).on_fire(); });
  loop->run();
  EXPECT_EQ(log, (Log{"exit 0", "closed"}));
}

}  // namespace
}  // namespace refloop::node_process_test
