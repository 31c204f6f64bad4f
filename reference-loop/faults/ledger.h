// What a scenario asked of the loop and what became of it: every request is entered when it starts and when
// it ends, and whatever breaks a promise of the loop is kept as a sentence.
//
// The promises: each request ends exactly once; requests of one kind on one handle end in the order they were
// started; after the close callback of a handle nothing of it is heard again.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "reference-loop/error.h"

namespace refloop::faults {

class Ledger {
 public:
  using Ticket = std::size_t;

  // A request `what` ("write", "connect") of `owner` was started, and owes one end.
  Ticket start(std::string_view what, const void* owner = nullptr);
  void end(Ticket ticket, Error error);
  // It ended inside the call that should have started it: in no order with what is under way.
  void refuse(Ticket ticket, Error error);
  // Something that is not owed, or answers at once.
  void happened(std::string_view what, Error error = Error::none);
  // True if the call succeeded.
  template <typename Result>
  bool took(std::string_view what, const Result& result) {
    happened(what, result ? Error::none : result.error());
    return static_cast<bool>(result);
  }
  // No callback of `owner` may come from here.
  void closed(const void* owner) { closed_.insert(owner); }

  // "12 bytes are missing"
  void broken(std::string sentence) { violations_.push_back(std::move(sentence)); }
  void check(bool promise_kept, std::string_view sentence) {
    if (!promise_kept) broken(std::string(sentence));
  }

  // When everything is over: what never ended is a violation.
  void finish();

  // How often each thing ended in each way: what two runs are compared by.
  using Outcome = std::map<std::pair<std::string, Error>, unsigned>;
  const Outcome& outcome() const { return outcome_; }
  const std::vector<std::string>& violations() const { return violations_; }

 private:
  struct Entry {
    std::string what;
    const void* owner;
    unsigned ends = 0;
  };

  std::vector<Entry> entries_;
  std::set<const void*> closed_;
  Outcome outcome_;
  std::vector<std::string> violations_;
};

}  // namespace refloop::faults
