#include "harness/cli/compare_bundles.h"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <map>

namespace tickmark::cli {
namespace {

using output::Bundle;
using output::flag_at;
using output::integer_at;
using output::Json;
using output::list_at;
using output::member;
using output::text_at;

/// Nothing is run again, so a false alarm is not caught by a confirmation.
constexpr double kAlpha = 0.01;

std::unexpected<Error> refuse(const std::string& why) {
  return usage_error(fmt::format(
      "these bundles cannot be compared: {}; compare the subjects themselves, which runs them side by side",
      why));
}

const Json& subject_of(const Bundle& bundle, const std::string& id) {
  static const Json none;
  for (const Json& subject : list_at(bundle.plan, "subjects")) {
    if (text_at(subject, "id") == id) return subject;
  }
  return none;
}

Expected<void> same_machine(const Bundle& a, const Bundle& b) {
  for (const Bundle* bundle : {&a, &b}) {
    if (!flag_at(bundle->machine, "comparable").value_or(false))
      return refuse(
          fmt::format("{} says of its machine that it must not be compared", bundle->folder.string()));
  }
  for (const char* key : {"cpu_model", "cpus_online", "kernel"}) {
    const Json &x = member(a.machine, key), &y = member(b.machine, key);
    if (x != y)
      return refuse(fmt::format("their machines differ in {} ({} and {})", key, x.dump(), y.dump()));
  }
  return {};
}

/// The reference subject of both, if it is the same program.
Expected<std::string> canary(const Bundle& a, const Bundle& b) {
  const std::string id = text_at(a.plan, "reference_subject"), other = text_at(b.plan, "reference_subject");
  if (id != other) return refuse(fmt::format("their canaries are {} and {}", id, other));
  for (const char* key : {"versions", "options"}) {
    if (member(subject_of(a, id), key) != member(subject_of(b, id), key))
      return refuse(fmt::format("their canary {} differs in its {}", id, key));
  }
  for (const char* key : {"git", "compiler", "build_type"}) {
    const std::string x = text_at(member(a.plan, "tool"), key), y = text_at(member(b.plan, "tool"), key);
    if (x != y)
      return refuse(fmt::format("their canary {} was built differently ({} {} and {})", id, key, x, y));
  }
  return id;
}

/// Whom to compare: the one beside the canary, or the one asked for.
Expected<std::string> choose(const Bundle& bundle, const std::string& canary, const std::string& asked) {
  std::vector<std::string> others;
  for (const Json& subject : list_at(bundle.plan, "subjects")) {
    const std::string id = text_at(subject, "id");
    if (id != canary && flag_at(subject, "available").value_or(true)) others.push_back(id);
  }
  if (!asked.empty()) {
    if (std::ranges::find(others, asked) != others.end()) return asked;
    return refuse(fmt::format("{} did not run in {} beside the canary", asked, bundle.folder.string()));
  }
  if (others.size() == 1) return others.front();
  if (others.empty())
    return refuse(fmt::format("{} holds nobody but the canary {}", bundle.folder.string(), canary));
  return usage_error(
      fmt::format("{} holds {}; choose one with --subject", bundle.folder.string(), fmt::join(others, ", ")));
}

/// Questions that both plans put in the same way.
Expected<std::vector<output::GatedMetric>> common_questions(const Bundle& a, const Bundle& b) {
  Json both = {{"cells", Json::array()}};
  for (const Json& cell : list_at(a.plan, "cells")) {
    for (const Json& other : list_at(b.plan, "cells")) {
      const bool same = std::ranges::all_of(
          std::initializer_list<const char*>{"id", "loop", "placement", "warmup_ns", "duration_ns", "params",
                                             "lanes", "together", "gate"},
          [&](const char* key) { return member(cell, key) == member(other, key); });
      if (same) both["cells"].push_back(cell);
    }
  }
  auto family = output::gated_metrics(both);
  if (family && family->empty()) {
    return refuse(
        "they have no gated cell in common; make both with 'tickmark run SUBJECT reference_loop --suite "
        "gate'");
  }
  return family;
}

using Blocks = std::map<int64_t, std::vector<Json>>;

Blocks blocks_of(const Bundle& bundle) {
  Blocks blocks;
  for (const Json& trial : bundle.trials) {
    if (const auto block = integer_at(trial, "block")) blocks[*block].push_back(trial);
  }
  return blocks;
}

/// What a bundle says of one question.
struct AgainstCanary {
  std::vector<output::ArmValues> values;  ///< canary and subject, in each block that is valid for both
  std::vector<std::optional<double>> covariates;  ///< of the same blocks
  output::Voids voids;
};

/// One per question.
std::vector<AgainstCanary> against(const Bundle& bundle, const std::string& canary,
                                   const std::string& subject,
                                   const std::vector<output::GatedMetric>& family) {
  std::vector<AgainstCanary> seen(family.size());
  for (const auto& [number, records] : blocks_of(bundle)) {
    const auto answers = output::block_answers(records, family, canary, subject);
    for (size_t q = 0; q < family.size(); ++q) {
      if (answers[q].values) {
        seen[q].values.push_back(*answers[q].values);
        seen[q].covariates.push_back(answers[q].covariate);
        continue;
      }
      seen[q].voids.add(answers[q]);
    }
  }
  return seen;
}

/// The smallest number of blocks that a question has in both; of those that have any. 0 if none has.
size_t blocks_in_both(const std::vector<AgainstCanary>& a, const std::vector<AgainstCanary>& b) {
  size_t least = 0;
  for (size_t q = 0; q < a.size(); ++q) {
    const size_t blocks = std::min(a[q].values.size(), b[q].values.size());
    if (blocks > 0) least = least == 0 ? blocks : std::min(least, blocks);
  }
  return least;
}

/// b - a; 0, which explains nothing, where one is not known.
double less(std::optional<double> b, std::optional<double> a) { return a && b ? *b - *a : 0; }

/// Judges `blocks` pairs of blocks: each subject against the canary in its own.
void judge(output::Comparison& comparison, const std::vector<AgainstCanary>& a,
           const std::vector<AgainstCanary>& b, size_t blocks) {
  const auto& family = comparison.family;
  comparison.values.resize(family.size());
  for (size_t q = 0; q < family.size(); ++q) {
    comparison.voids.push_back(a[q].voids.blocks >= b[q].voids.blocks ? a[q].voids : b[q].voids);
  }
  stats::Gate gate(comparison.rules);
  for (size_t i = 0; i < blocks && !gate.ended(); ++i) {
    std::vector<stats::BlockValue> block;
    for (size_t q = 0; q < family.size(); ++q) {
      if (i >= a[q].values.size() || i >= b[q].values.size()) {
        block.push_back({std::nullopt, a[q].voids.out_of_reach || b[q].voids.out_of_reach});
        continue;
      }
      const output::ArmValues &x = a[q].values[i], &y = b[q].values[i];
      comparison.values[q].push_back({x.candidate, y.candidate});
      block.push_back({output::log_ratio(y, family[q]) - output::log_ratio(x, family[q]), false,
                       less(b[q].covariates[i], a[q].covariates[i])});
    }
    gate.add(block);
  }
  comparison.result = gate.result();
}

}  // namespace

Expected<output::Comparison> related(const Bundle& baseline, const Bundle& candidate,
                                     const std::string& subject) {
  if (auto ok = same_machine(baseline, candidate); !ok) return std::unexpected(ok.error());
  auto reference = canary(baseline, candidate);
  if (!reference) return std::unexpected(reference.error());
  auto of_baseline = choose(baseline, *reference, subject),
       of_candidate = choose(candidate, *reference, subject);
  if (!of_baseline) return std::unexpected(of_baseline.error());
  if (!of_candidate) return std::unexpected(of_candidate.error());
  auto family = common_questions(baseline, candidate);
  if (!family) return std::unexpected(family.error());

  const auto a = against(baseline, *reference, *of_baseline, *family);
  const auto b = against(candidate, *reference, *of_candidate, *family);
  const size_t blocks = blocks_in_both(a, b);
  if (blocks == 0) return refuse("not one block of either is valid for both the subject and the canary");

  output::Comparison comparison;
  comparison.baseline = fmt::format("{} in {}", *of_baseline, baseline.folder.string());
  comparison.candidate = fmt::format("{} in {}", *of_candidate, candidate.folder.string());
  comparison.family = *family;
  stats::GateRules rules;
  rules.looks = {static_cast<int>(blocks)};
  rules.alpha = kAlpha;
  rules.confirm = false;
  comparison.rules = output::gate_rules(*family, rules);
  judge(comparison, a, b, blocks);
  comparison.notes.push_back(
      fmt::format("measured at different times: each was set against the canary {} in its own blocks, and "
                  "whatever touched the "
                  "subject and not the canary is part of the difference",
                  *reference));
  return comparison;
}

Expected<output::Comparison> compare_bundles(const std::string& baseline, const std::string& candidate,
                                             const std::string& subject) {
  auto a = output::read_bundle(baseline);
  if (!a) return std::unexpected(a.error());
  auto b = output::read_bundle(candidate);
  if (!b) return std::unexpected(b.error());
  return related(*a, *b, subject);
}

}  // namespace tickmark::cli
