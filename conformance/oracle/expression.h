#pragma once
// The small language of `requires`, `forbids` and `when`: which callback ran before which, and sums of
// measured clock readings. Parsed once when a rule is loaded, so that a typing error is a lint error and
// never a rule that silently cannot fail.

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "harness/base/error.h"
#include "harness/base/time.h"

namespace tickmark::conformance {

/// `a` (all its runs), `a.2` (its second run, from 1), `a.last`.
struct Occurrence {
  std::string label;
  int index = kAll;

  static constexpr int kAll = 0;
  static constexpr int kLast = -1;

  std::string text() const;
  bool operator==(const Occurrence&) const = default;
};

/// `a < b < c`: each runs entirely before the next starts. One element: "a runs".
struct OrderClause {
  std::vector<Occurrence> chain;
};

/// A clock reading of the trace: `before(a)` and `after(a)` bracket the call that scheduled a, `begin(a)`
/// and `end(a)` its (first or indexed) callback, `complete(a)` its work on the pool; `now_at(a)` and
/// `now_in(a)` are the loop's cached time at the call and in the callback; `ms(a)` is the delay it was given;
/// `before(main)` is the start of the run, before its loop exists. Or a constant: `2ms`, `500us`.
struct Term {
  enum class Kind { before, after, begin, end, complete, now_at, now_in, delay, constant };
  Kind kind = Kind::constant;
  Occurrence of;
  Nanos value{0};  ///< of a constant
};

/// `after(a) + ms(a) + 1ms <= begin(b)`: sums of terms compared.
struct MeasuredClause {
  enum class Relation { less, less_or_equal, greater, greater_or_equal };
  std::vector<Term> left;
  Relation relation = Relation::less;
  std::vector<Term> right;
};

struct Clause {
  std::string text;  ///< as the rule's author wrote it
  std::variant<OrderClause, MeasuredClause> meaning;

  /// Every label the clause speaks about.
  std::vector<std::string> labels() const;
};

/// Refuses what is neither form, naming the text.
Expected<Clause> parse_clause(std::string_view text);

/// `[a-z][a-z0-9_]*`, at most 40 characters.
bool is_label(std::string_view text);

}  // namespace tickmark::conformance
