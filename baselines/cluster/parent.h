#pragma once
// The cluster's parent: the subject contract on top of the reference loop's supervisor.

#include <cstdint>
#include <optional>
#include <string>

#include "harness/base/error.h"
#include "harness/subject/serve_context.h"
#include "reference-loop/async.h"
#include "reference-loop/cluster.h"

namespace tickmark {

class Parent {
 public:
  Parent(subject::ServeContext& context, refloop::Loop& loop, refloop::ClusterOptions options);

  /// Starts the workers, announces them when all of them listen, and returns what they counted when it was
  /// time to stop. Error: a worker could not serve, or died while it did. (A measured run is void then: a
  /// replacement would only hide it.)
  Expected<subject::Final> serve();

 private:
  void all_listen();
  void heard(std::string_view text);

  subject::ServeContext& context_;
  refloop::Loop& loop_;
  const refloop::ClusterOptions options_;
  refloop::Cluster cluster_;
  refloop::Async stop_;
  subject::Final sum_;
  bool ready_ = false;
  std::string reason_;  // why a worker could not serve, in its words
  std::optional<Error> error_;
};

}  // namespace tickmark
