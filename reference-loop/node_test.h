// For tests of the Node layer: a loop, a layer, and a log of labels to compare with a literal list.
#pragma once

#include <gtest/gtest.h>
#include <memory>
#include <string>

#include "reference-loop/node_layer.h"
#include "reference-loop/test_log.h"
#include "reference-loop/test_loop.h"

namespace refloop {

using namespace std::chrono_literals;

struct NodeTest : ::testing::Test {
  explicit NodeTest(NodeVersion version = NodeVersion::node22) : node(*loop, version) {}

  std::unique_ptr<Loop> loop = make_loop();
  NodeLayer node;
  Log log;

  auto note(std::string label) {
    return [this, label = std::move(label)] { log.push_back(label); };
  }
  // Logs and fails.
  auto fail(std::string label) {
    return [this, label = std::move(label)] {
      log.push_back(label);
      node.throw_error(label);
    };
  }
  // Handlers that log: an error as "!<what was thrown>".
  void catch_errors() {
    node.events.uncaught_exception = [this](const Value& error, ErrorOrigin origin) {
      log.push_back((origin == ErrorOrigin::rejection ? "!!" : "!") + text_of(error));
    };
  }
  static std::string text_of(const Value& value) {
    const auto* text = std::any_cast<std::string>(&value);
    return text ? *text : "";
  }
  // Runs `main` as Node runs a script, then the loop until nothing is left.
  Log run(Task main) {
    node.run_main(std::move(main));
    EXPECT_FALSE(loop->run());
    return log;
  }
};

}  // namespace refloop
