#include "conformance/oracle/judge.h"

#include <algorithm>
#include <fmt/format.h>
#include <optional>

#include "conformance/oracle/run_index.h"

namespace tickmark::conformance {

namespace {

using Complaint = std::optional<std::string>;

Complaint check_order(const OrderClause& clause, const RunIndex& index) {
  for (const Occurrence& occurrence : clause.chain) {
    if (index.spans(occurrence).empty()) return fmt::format("{} never ran", occurrence.text());
  }
  for (size_t i = 1; i < clause.chain.size(); ++i) {
    const auto first = index.spans(clause.chain[i - 1]);
    const auto second = index.spans(clause.chain[i]);
    const size_t last_end = std::ranges::max(first, {}, &Span::end).end;
    const size_t first_begin = std::ranges::min(second, {}, &Span::begin).begin;
    if (last_end >= first_begin) {
      return fmt::format("{} did not run before {}", clause.chain[i - 1].text(), clause.chain[i].text());
    }
  }
  return std::nullopt;
}

std::optional<Nanos> sum(const std::vector<Term>& terms, const RunIndex& index) {
  Nanos total{0};
  for (const Term& term : terms) {
    const auto value = index.value(term);
    if (!value) return std::nullopt;
    total += *value;
  }
  return total;
}

Complaint check_measured(const MeasuredClause& clause, const std::string& text, const RunIndex& index) {
  using Relation = MeasuredClause::Relation;
  const auto left = sum(clause.left, index);
  const auto right = sum(clause.right, index);
  if (!left || !right) return fmt::format("\"{}\" speaks of something that did not happen", text);
  const bool holds = clause.relation == Relation::less            ? *left < *right
                     : clause.relation == Relation::less_or_equal ? *left <= *right
                     : clause.relation == Relation::greater       ? *left > *right
                                                                  : *left >= *right;
  if (holds) return std::nullopt;
  return fmt::format("\"{}\" does not hold: {:+.3f} ms", text,
                     static_cast<double>((*left - *right).count()) / 1e6);
}

Complaint check(const Clause& clause, const RunIndex& index) {
  if (const auto* order = std::get_if<OrderClause>(&clause.meaning)) return check_order(*order, index);
  return check_measured(std::get<MeasuredClause>(clause.meaning), clause.text, index);
}

// A forbidden order is violated by any pair of occurrences in it; a forbidden label by running at all.
Complaint check_forbidden(const Clause& clause, const RunIndex& index) {
  const auto* order = std::get_if<OrderClause>(&clause.meaning);
  if (order == nullptr) {
    return check(clause, index) ? std::nullopt : Complaint(fmt::format("\"{}\" is forbidden", clause.text));
  }
  size_t after = 0;
  bool first = true;
  for (const Occurrence& occurrence : order->chain) {
    std::optional<size_t> earliest_end;
    for (const Span& span : index.spans(occurrence)) {
      if ((first || span.begin > after) && (!earliest_end || span.end < *earliest_end))
        earliest_end = span.end;
    }
    if (!earliest_end) return std::nullopt;
    after = *earliest_end;
    first = false;
  }
  return fmt::format("\"{}\" happened and is forbidden", clause.text);
}

Complaint check_numbers(const Rule& rule, const RunIndex& index) {
  for (const auto& [label, range] : rule.counts) {
    const size_t count = index.count(label);
    if (count < range.least || count > range.most) {
      return fmt::format("{} ran {} times, not {}", label, count, range.text);
    }
  }
  for (const auto& [label, expected] : rule.statuses) {
    const auto statuses = index.statuses(label);
    if (statuses.empty()) return fmt::format("{} never happened, so it was not {}", label, expected);
    for (const std::string& status : statuses) {
      if (status != expected) return fmt::format("{} was {}, not {}", label, status, expected);
    }
  }
  for (const auto& [label, expected] : rule.bytes) {
    const long bytes = index.bytes(label);
    if (bytes != expected) return fmt::format("{} got {} bytes, not {}", label, bytes, expected);
  }
  return std::nullopt;
}

Complaint first_complaint(const Rule& rule, const RunIndex& index) {
  for (const Clause& clause : rule.required) {
    if (auto complaint = check(clause, index)) return complaint;
  }
  for (const Clause& clause : rule.forbidden) {
    if (auto complaint = check_forbidden(clause, index)) return complaint;
  }
  return check_numbers(rule, index);
}

}  // namespace

RunVerdict judge(const Rule& rule, const RunTrace& trace) {
  if (trace.status != "ok") {
    return {Outcome::inconclusive, fmt::format("the player gave up: {}", trace.reason), {}};
  }
  const auto index = RunIndex::build(trace);
  if (!index) return {Outcome::inconclusive, index.error().message, {}};
  for (const Clause& guard : rule.when) {
    if (check(guard, *index)) {
      return {Outcome::inapplicable, fmt::format("the guard \"{}\" did not hold", guard.text), {}};
    }
  }
  RunVerdict verdict{Outcome::pass, "", index->order_seen()};
  if (auto complaint = first_complaint(rule, *index)) {
    verdict.outcome = Outcome::fail;
    verdict.reason = std::move(*complaint);
  }
  return verdict;
}

}  // namespace tickmark::conformance
