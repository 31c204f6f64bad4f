// Promises: how many jobs lie between settling and a reaction, and what becomes of rejections. Chains c1,
// c2, ... count the jobs; every list is what Node 20 to 26 print for the same program.
#include "reference-loop/node_async.h"
#include "reference-loop/node_test.h"

namespace refloop::node_promise_test {
namespace {

struct NodePromiseTest : NodeTest {
  void chain(int length) {
    Promise promise = Promise::resolved(node);
    for (int i = 1; i <= length; ++i) promise = promise.then(note("c" + std::to_string(i)));
  }
  Promise resolved(Value value = {}) { return Promise::resolved(node, std::move(value)); }
  Promise rejected(std::string reason) { return Promise::rejected(node, std::move(reason)); }
  void report_rejections() {
    node.events.unhandled_rejection = [this](const Value& reason, const Promise&) {
      log.push_back("unhandled " + text_of(reason));
    };
    node.events.rejection_handled = [this](const Promise&) { log.push_back("handled"); };
  }
};

TEST_F(NodePromiseTest, reactions_and_microtasks_share_one_queue) {
  EXPECT_EQ(run([&] {
              node.queue_microtask(note("m1"));
              resolved().then(note("p1")).then(note("p2"));
              node.queue_microtask(note("m2"));
              node.next_tick(note("tick"));
            }),
            (Log{"tick", "m1", "p1", "m2", "p2"}));
}

TEST_F(NodePromiseTest, each_reaction_gets_what_the_one_before_returned) {
  int result = 0;
  run([&] {
    resolved(20)
        .then([](const Value& value) { return Value(std::any_cast<int>(value) + 1); })
        .then([](const Value& value) { return Value(std::any_cast<int>(value) * 2); })
        .then([&](const Value& value) { result = std::any_cast<int>(value); });
  });
  EXPECT_EQ(result, 42);
}

TEST_F(NodePromiseTest, only_the_first_resolve_or_reject_counts) {
  Promise promise(node);
  promise.resolve(1);
  promise.reject(2);
  promise.resolve(3);
  EXPECT_EQ(promise.status(), PromiseStatus::fulfilled);
  EXPECT_EQ(std::any_cast<int>(promise.value()), 1);

  Promise follower(node);
  follower.resolve(Promise(node));  // decided, though not settled
  follower.reject(2);
  EXPECT_EQ(follower.status(), PromiseStatus::pending);
}

Promise await_and_note(NodeLayer&, Promise awaited, Task note) {
  co_await awaited;
  note();
  co_return {};
}
Promise return_promise(NodeLayer& node) { co_return Promise::resolved(node); }

TEST_F(NodePromiseTest, jobs_as_in_ecmascript) {
  EXPECT_EQ(run([&] {
              chain(8);
              resolved().finally(note("f")).then(note("F"));
              resolved().then([&] { return resolved(); }).then(note("R"));
              await_and_note(node, resolved(), note("await"));
              return_promise(node).then(note("async"));
              Promise follower(node);
              follower.resolve(resolved());
              follower.then(note("follow"));
              rejected("").finally(note("rf")).catch_error(note("RF"));
              rejected("").then(note("never")).catch_error(note("pass"));
            }),
            (Log{"c1", "f", "await", "rf", "c2", "pass", "c3", "async", "follow", "c4", "F", "R", "RF", "c5",
                 "c6", "c7", "c8"}));
}

TEST_F(NodePromiseTest, jobs_of_failing_and_returning_handlers) {
  EXPECT_EQ(run([&] {
              chain(10);
              resolved().finally([&] { return resolved(); }).then(note("FP"));
              resolved().finally([&] { node.throw_error({}); }).catch_error(note("FT"));
              resolved().finally([&] { return rejected(""); }).catch_error(note("FR"));
              resolved().then([&] { node.throw_error({}); }).catch_error(note("TT"));
              resolved().then([&] { return rejected(""); }).catch_error(note("TR"));
              auto self = std::make_shared<Promise>();
              *self = resolved().then([self] { return *self; });
              self->catch_error(note("self"));
              node.set_immediate([self] { *self = {}; });
            }),
            (Log{"c1", "c2", "FT", "TT", "self", "c3", "c4", "FP", "FR", "TR", "c5", "c6", "c7", "c8", "c9",
                 "c10"}));
}

TEST_F(NodePromiseTest, finally_passes_the_outcome_on) {
  run([&] {
    resolved(std::string("kept")).finally([] { return 1; }).then([&](const Value& value) {
      log.push_back(text_of(value));
    });
    rejected("reason").finally([] {}).then(note("never"),
                                           [&](const Value& reason) { log.push_back(text_of(reason)); });
  });
  EXPECT_EQ(log, (Log{"kept", "reason"}));
}

Promise fail_after_await(NodeLayer& node, Promise awaited, Log& log) {
  const Outcome outcome = co_await awaited;
  log.push_back(outcome.fulfilled ? "fulfilled" : "rejected");
  node.throw_error(std::string("async"));
  co_return {};
}

TEST_F(NodePromiseTest, awaiting_handles_a_rejection_and_failing_rejects_the_async_function) {
  report_rejections();
  EXPECT_EQ(run([&] {
              chain(3);
              fail_after_await(node, rejected("awaited"), log);
            }),
            (Log{"c1", "rejected", "c2", "c3", "unhandled async"}));
}

TEST(NodePromise, a_coroutine_that_waits_for_ever_goes_with_the_layer) {
  const auto owned = std::make_shared<int>(1);
  const auto loop = make_loop();
  {
    NodeLayer node(*loop);
    await_and_note(node, Promise(node), [owned] {});
    EXPECT_EQ(owned.use_count(), 2);
  }
  EXPECT_EQ(owned.use_count(), 1);
}

TEST_F(NodePromiseTest, a_long_chain_is_released_without_recursion) {
  Promise first(node);
  Promise last = first;
  for (int i = 0; i < 200'000; ++i) last = last.then([] {});
  last = {};
  first = {};
}

TEST_F(NodePromiseTest, unhandled_rejections_are_reported_after_the_drain_and_before_the_next_callback) {
  node.events.unhandled_rejection = [this](const Value& reason, const Promise&) {
    log.push_back("unhandled " + text_of(reason));
    node.next_tick(note("t" + text_of(reason)));
    node.queue_microtask(note("m" + text_of(reason)));
  };
  EXPECT_EQ(run([&] {
              rejected("1");
              rejected("2");
              node.next_tick(note("tick"));
              node.queue_microtask([&] { note("microtask")(), node.next_tick(note("tick 2")); });
              node.set_immediate(note("immediate"));
            }),
            (Log{"tick", "microtask", "tick 2", "unhandled 1", "unhandled 2", "t1", "t2", "m1", "m2",
                 "immediate"}));
}

TEST_F(NodePromiseTest, a_rejection_handled_within_the_drain_is_not_reported) {
  report_rejections();
  EXPECT_EQ(run([&] {
              const Promise promise = rejected("1");
              node.next_tick([&, promise] {
                node.queue_microtask([&, promise] { promise.catch_error(note("caught")); });
              });
            }),
            Log{"caught"});
}

TEST_F(NodePromiseTest, a_rejection_that_somebody_waited_for_is_not_reported) {
  report_rejections();
  EXPECT_EQ(run([&] {
              Promise promise(node);
              promise.catch_error(note("caught"));
              promise.reject({});
            }),
            Log{"caught"});
}

TEST_F(NodePromiseTest, the_ticks_of_a_handler_that_fails_run_in_the_next_drain) {
  catch_errors();
  node.events.unhandled_rejection = [this](const Value&, const Promise&) {
    node.next_tick(note("tick"));
    node.throw_error(std::string("handler"));
  };
  EXPECT_EQ(run([&] {
              rejected("1");
              node.set_timeout(note("timeout"), 1);
              node.set_immediate(note("immediate"));
              busy_for(*loop, 3ms);
            }),
            (Log{"!handler", "timeout", "tick", "immediate"}));
}

TEST_F(NodePromiseTest, one_handled_later_is_announced_before_new_ones_are_reported) {
  report_rejections();
  EXPECT_EQ(run([&] {
              const Promise promise = rejected("1");
              node.set_immediate([&, promise] {
                promise.catch_error(note("caught"));
                node.next_tick(note("tick"));
                rejected("2");
              });
              node.set_immediate(note("immediate"));
            }),
            (Log{"unhandled 1", "tick", "caught", "handled", "unhandled 2", "immediate"}));
}

TEST_F(NodePromiseTest, one_handled_while_an_earlier_one_is_reported_is_reported_all_the_same) {
  EXPECT_EQ(run([&] {
              rejected("1");
              const Promise second = rejected("2");
              node.events.unhandled_rejection = [this, second](const Value& reason, const Promise&) {
                log.push_back("unhandled " + text_of(reason));
                if (text_of(reason) == "1") second.catch_error(note("caught"));
              };
              node.events.rejection_handled = [this](const Promise&) { log.push_back("handled"); };
            }),
            (Log{"unhandled 1", "unhandled 2", "caught"}));
}

TEST_F(NodePromiseTest, a_handler_that_fails_loses_the_rejections_behind_it) {
  catch_errors();
  node.events.unhandled_rejection = [this](const Value& reason, const Promise&) {
    log.push_back("unhandled " + text_of(reason));
    if (text_of(reason) == "1") node.throw_error(std::string("handler"));
  };
  EXPECT_EQ(run([&] {
              rejected("1");
              rejected("2");
              node.set_immediate([&] { note("immediate")(), rejected("3"); });
            }),
            (Log{"unhandled 1", "!handler", "immediate", "unhandled 3"}));
}

TEST_F(NodePromiseTest, without_a_handler_a_rejection_is_an_uncaught_error) {
  catch_errors();
  EXPECT_EQ(run([&] {
              rejected("1");
              rejected("2");
              node.next_tick(note("tick"));
              node.set_immediate(note("immediate"));
            }),
            (Log{"tick", "!!1", "!!2", "immediate"}));
}

TEST_F(NodePromiseTest, and_without_any_handler_it_ends_the_process) {
  EXPECT_EQ(node.run([&] {
    rejected("1");
    node.next_tick(note("tick"));
    node.set_immediate(note("never"));
  }),
            1);
  EXPECT_EQ(log, Log{"tick"});
}

TEST_F(NodePromiseTest, a_failed_tick_postpones_the_report_with_the_ticks_behind_it) {
  catch_errors();
  report_rejections();
  EXPECT_EQ(run([&] {
              rejected("1");
              node.next_tick(fail("t1"));
              node.next_tick(note("t2"));
              node.set_immediate(note("immediate"));
            }),
            (Log{"t1", "!t1", "t2", "unhandled 1", "immediate"}));
}

}  // namespace
}  // namespace refloop::node_promise_test
