#include "conformance/oracle/expression.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <fmt/format.h>
#include <optional>

namespace tickmark::conformance {

namespace {

constexpr size_t kLabelLengthMax = 40;
constexpr size_t kClauseLengthMax = 500;

std::string_view trim(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const size_t at = text.find(separator);
    parts.push_back(trim(text.substr(0, at)));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + 1);
  }
}

std::optional<int> parse_number(std::string_view text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<Occurrence> parse_occurrence(std::string_view text) {
  const size_t dot = text.find('.');
  Occurrence occurrence{std::string(text.substr(0, dot)), Occurrence::kAll};
  if (!is_label(occurrence.label)) return std::nullopt;
  if (dot == std::string_view::npos) return occurrence;
  const std::string_view index = text.substr(dot + 1);
  if (index == "last") {
    occurrence.index = Occurrence::kLast;
    return occurrence;
  }
  const auto number = parse_number(index);
  if (!number || *number < 1) return std::nullopt;
  occurrence.index = *number;
  return occurrence;
}

std::optional<Term> parse_constant(std::string_view text) {
  const bool micros = text.ends_with("us");
  if (!micros && !text.ends_with("ms")) return std::nullopt;
  const auto number = parse_number(text.substr(0, text.size() - 2));
  if (!number || *number < 0) return std::nullopt;
  Term term;
  term.value = micros ? Nanos{*number * 1'000LL} : Nanos{*number * 1'000'000LL};
  return term;
}

std::optional<Term> parse_term(std::string_view text) {
  using Kind = Term::Kind;
  static constexpr std::array<std::pair<std::string_view, Kind>, 8> kFunctions{{{"before", Kind::before},
                                                                                {"after", Kind::after},
                                                                                {"begin", Kind::begin},
                                                                                {"end", Kind::end},
                                                                                {"complete", Kind::complete},
                                                                                {"now_at", Kind::now_at},
                                                                                {"now_in", Kind::now_in},
                                                                                {"ms", Kind::delay}}};
  const size_t open = text.find('(');
  if (open == std::string_view::npos) return parse_constant(text);
  if (!text.ends_with(')')) return std::nullopt;
  const auto* function =
      std::ranges::find(kFunctions, text.substr(0, open), &std::pair<std::string_view, Kind>::first);
  if (function == kFunctions.end()) return std::nullopt;
  const auto of = parse_occurrence(trim(text.substr(open + 1, text.size() - open - 2)));
  if (!of) return std::nullopt;
  Term term;
  term.kind = function->second;
  term.of = *of;
  return term;
}

std::optional<std::vector<Term>> parse_sum(std::string_view text) {
  std::vector<Term> terms;
  for (const std::string_view part : split(text, '+')) {
    auto term = parse_term(part);
    if (!term) return std::nullopt;
    terms.push_back(std::move(*term));
  }
  return terms;
}

std::optional<MeasuredClause> parse_measured(std::string_view text) {
  using Relation = MeasuredClause::Relation;
  static constexpr std::array<std::pair<std::string_view, Relation>, 4> kRelations{
      {{"<=", Relation::less_or_equal},
       {">=", Relation::greater_or_equal},
       {"<", Relation::less},
       {">", Relation::greater}}};
  for (const auto& [sign, relation] : kRelations) {
    const size_t at = text.find(sign);
    if (at == std::string_view::npos) continue;
    auto left = parse_sum(text.substr(0, at));
    auto right = parse_sum(text.substr(at + sign.size()));
    if (!left || !right) return std::nullopt;
    return MeasuredClause{std::move(*left), relation, std::move(*right)};
  }
  return std::nullopt;
}

std::optional<OrderClause> parse_order(std::string_view text) {
  OrderClause clause;
  for (const std::string_view part : split(text, '<')) {
    auto occurrence = parse_occurrence(part);
    if (!occurrence) return std::nullopt;
    clause.chain.push_back(std::move(*occurrence));
  }
  return clause;
}

}  // namespace

std::string Occurrence::text() const {
  if (index == kAll) return label;
  return index == kLast ? label + ".last" : fmt::format("{}.{}", label, index);
}

std::vector<std::string> Clause::labels() const {
  std::vector<std::string> labels;
  if (const auto* order = std::get_if<OrderClause>(&meaning)) {
    for (const Occurrence& occurrence : order->chain) labels.push_back(occurrence.label);
    return labels;
  }
  const auto& measured = std::get<MeasuredClause>(meaning);
  for (const auto* side : {&measured.left, &measured.right}) {
    for (const Term& term : *side) {
      if (term.kind != Term::Kind::constant) labels.push_back(term.of.label);
    }
  }
  return labels;
}

Expected<Clause> parse_clause(std::string_view text) {
  text = trim(text);
  const auto refused = [&] {
    return usage_error(fmt::format(
        "\"{}\" is no clause: write an order such as `a < b.2 < c.last`, or a comparison of measured times "
        "such as `after(a) + ms(a) + 1ms <= begin(b)`",
        text.substr(0, kClauseLengthMax)));
  };
  if (text.empty() || text.size() > kClauseLengthMax) return refused();
  if (text.find('(') != std::string_view::npos) {
    auto measured = parse_measured(text);
    if (!measured) return refused();
    return Clause{std::string(text), std::move(*measured)};
  }
  auto order = parse_order(text);
  if (!order) return refused();
  return Clause{std::string(text), std::move(*order)};
}

bool is_label(std::string_view text) {
  if (text.empty() || text.size() > kLabelLengthMax || text[0] < 'a' || text[0] > 'z') return false;
  return std::ranges::all_of(
      text, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; });
}

}  // namespace tickmark::conformance
