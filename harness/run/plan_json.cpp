// plan.json, both ways. Writing and reading stand side by side, one pair of functions per object.

#include <cmath>
#include <fmt/format.h>

#include "harness/run/plan.h"
#include "harness/run/sha256.h"

namespace tickmark::run {
namespace {

using output::flag_at;
using output::integer_at;
using output::list_at;
using output::member;
using output::number_at;
using output::text_at;

// A member of the wrong kind is a damaged plan. Inside, that is an exception; plan_from_json turns it into
// the one error sentence its caller sees.
struct Damage {
  std::string what;
};

int64_t need_integer(const Json& object, std::string_view key, int64_t low, int64_t high) {
  const auto value = integer_at(object, key);
  if (!value || *value < low || *value > high) {
    throw Damage{fmt::format("{} must be a whole number from {} to {}", key, low, high)};
  }
  return *value;
}

std::string need_text(const Json& object, std::string_view key) {
  const Json& value = member(object, key);
  if (!value.is_string()) throw Damage{fmt::format("{} must be text", key)};
  return value.get<std::string>();
}

std::map<std::string, std::string> texts_at(const Json& object, std::string_view key) {
  std::map<std::string, std::string> texts;
  const Json& value = member(object, key);
  if (!value.is_object()) return texts;
  for (const auto& [name, text] : value.items()) {
    if (!text.is_string()) throw Damage{fmt::format("{}.{} must be text", key, name)};
    texts[name] = text.get<std::string>();
  }
  return texts;
}

std::vector<std::string> text_list_at(const Json& object, std::string_view key) {
  std::vector<std::string> texts;
  for (const Json& text : list_at(object, key)) {
    if (!text.is_string()) throw Damage{fmt::format("{} must be a list of text", key)};
    texts.push_back(text.get<std::string>());
  }
  return texts;
}

std::string_view name_of(load::Arrivals arrivals) {
  switch (arrivals) {
    case load::Arrivals::kPoisson:
      return "poisson";
    case load::Arrivals::kConstant:
      return "constant";
    case load::Arrivals::kClosed:
      return "closed";
  }
  return "";
}

load::Arrivals arrivals_named(const std::string& name) {
  if (name == "poisson") return load::Arrivals::kPoisson;
  if (name == "constant") return load::Arrivals::kConstant;
  if (name == "closed") return load::Arrivals::kClosed;
  throw Damage{fmt::format("arrivals '{}' are unknown", name)};
}

Json subject_to_json(const PlannedSubject& s) {
  return {
      {"id", s.id},         {"name", s.name},           {"title", s.title},     {"says", s.says},
      {"colour", s.colour}, {"available", s.available}, {"reason", s.reason},   {"install", s.install},
      {"caveat", s.caveat}, {"versions", s.versions},   {"options", s.options}, {"workloads", s.workloads}};
}

PlannedSubject subject_from_json(const Json& json) {
  PlannedSubject s;
  s.id = need_text(json, "id");
  s.name = need_text(json, "name");
  s.title = text_at(json, "title", s.name);
  s.says = text_at(json, "says");
  s.colour = text_at(json, "colour");
  s.available = flag_at(json, "available").value_or(true);
  s.reason = text_at(json, "reason");
  s.install = text_at(json, "install");
  s.caveat = text_at(json, "caveat");
  s.versions = texts_at(json, "versions");
  s.options = texts_at(json, "options");
  s.workloads = text_list_at(json, "workloads");
  return s;
}

Json workload_to_json(const WorkloadSpec& w) {
  return {{"id", w.id},
          {"title", w.title},
          {"says", w.says},
          {"kind", w.kind == WorkloadKind::kStream ? "stream" : "http"},
          {"not_told", w.not_told}};
}

WorkloadSpec workload_from_json(const Json& json) {
  WorkloadSpec w;
  w.id = need_text(json, "id");
  w.title = text_at(json, "title", w.id);
  w.says = text_at(json, "says");
  w.kind = text_at(json, "kind") == "stream" ? WorkloadKind::kStream : WorkloadKind::kHttp;
  w.not_told = text_at(json, "not_told");
  return w;
}

Json lane_to_json(const PlannedLane& lane) {
  Json json = {{"name", lane.name},
               {"variant", lane.variant},
               {"connections", lane.connections},
               {"loop", lane.arrivals == load::Arrivals::kClosed ? "closed" : "open"},
               {"arrivals", name_of(lane.arrivals)}};
  if (lane.arrivals != load::Arrivals::kClosed) json["rate_per_s"] = lane.rate_per_s;
  return json;
}

PlannedLane lane_from_json(const Json& json) {
  PlannedLane lane;
  lane.name = need_text(json, "name");
  lane.variant = text_at(json, "variant");
  lane.connections = static_cast<int>(need_integer(json, "connections", 1, 1'000'000));
  lane.arrivals = arrivals_named(need_text(json, "arrivals"));
  lane.rate_per_s = number_at(json, "rate_per_s").value_or(0);
  if (lane.arrivals != load::Arrivals::kClosed && !(lane.rate_per_s > 0)) {
    throw Damage{fmt::format("lane {} is an open loop without a rate_per_s above 0", lane.name)};
  }
  return lane;
}

Json cell_to_json(const PlannedCell& c) {
  Json json = {{"id", c.id},
               {"workload", c.workload},
               {"variant", c.variant},
               {"scenario", c.scenario == load::Scenario::kStorm ? "storm" : "orderly"},
               {"loop", c.open_loop ? "open" : "closed"},
               {"connections", c.connections},
               {"placement", c.placement == Placement::kShared ? "shared" : "isolated"},
               {"blocks", c.blocks},
               {"warmup_ns", c.warmup.count()},
               {"duration_ns", c.duration.count()},
               {"params", c.params},
               {"lanes", Json::array()},
               {"subjects", c.subjects},
               {"skipped", Json::array()}};
  if (c.open_loop) json["rate_per_s"] = c.rate_per_s;
  if (c.capacity_share) json["capacity_share"] = *c.capacity_share;
  if (!c.gate.empty()) json["gate"] = c.gate;
  if (c.together) json["together"] = true;
  for (const PlannedLane& lane : c.lanes) json["lanes"].push_back(lane_to_json(lane));
  for (const SkippedSubject& s : c.skipped)
    json["skipped"].push_back({{"subject", s.subject}, {"reason", s.reason}});
  return json;
}

PlannedCell cell_from_json(const Json& json) {
  PlannedCell c;
  c.id = need_text(json, "id");
  c.workload = need_text(json, "workload");
  c.variant = text_at(json, "variant");
  c.scenario = text_at(json, "scenario") == "storm" ? load::Scenario::kStorm : load::Scenario::kOrderly;
  c.open_loop = need_text(json, "loop") == "open";
  c.connections = static_cast<int>(need_integer(json, "connections", 1, 1'000'000));
  c.rate_per_s = number_at(json, "rate_per_s").value_or(0);
  c.capacity_share = number_at(json, "capacity_share");
  c.placement = need_text(json, "placement") == "shared" ? Placement::kShared : Placement::kIsolated;
  c.blocks = static_cast<int>(need_integer(json, "blocks", 1, 1000));
  constexpr int64_t kDay = int64_t{86'400} * 1'000'000'000;
  c.warmup = Nanos{need_integer(json, "warmup_ns", 0, kDay)};
  c.duration = Nanos{need_integer(json, "duration_ns", 1, kDay)};
  c.params = texts_at(json, "params");
  c.together = flag_at(json, "together").value_or(false);
  for (const auto& [metric, margin] : member(json, "gate").items()) {
    if (!margin.is_number()) throw Damage{fmt::format("gate.{} must be a number", metric)};
    c.gate[metric] = margin.get<double>();
  }
  for (const Json& lane : list_at(json, "lanes")) c.lanes.push_back(lane_from_json(lane));
  if (c.lanes.empty()) throw Damage{fmt::format("cell {} has no lanes", c.id)};
  c.subjects = text_list_at(json, "subjects");
  for (const Json& s : list_at(json, "skipped"))
    c.skipped.push_back({text_at(s, "subject"), text_at(s, "reason")});
  return c;
}

PlannedTrial trial_from_json(const Json& json, const Plan& plan) {
  PlannedTrial t;
  t.trial = static_cast<int>(need_integer(json, "trial", 0, 10'000'000));
  t.block = static_cast<int>(need_integer(json, "block", 0, 1000));
  t.cell = need_text(json, "cell");
  t.subject = need_text(json, "subject");
  t.seed = static_cast<uint64_t>(need_integer(json, "seed", 0, INT64_MAX));
  if (!plan.cell(t.cell)) throw Damage{fmt::format("trial {} is of an unknown cell '{}'", t.trial, t.cell)};
  if (!plan.subject(t.subject))
    throw Damage{fmt::format("trial {} is of an unknown subject '{}'", t.trial, t.subject)};
  return t;
}

Json calibration_to_json(const Calibration& calibration) {
  Json json = {{"subject", calibration.subject}};
  if (!calibration.note.empty()) json["note"] = calibration.note;
  for (const auto& [key, capacity] : calibration.capacity_per_s) json[key] = {{"capacity_per_s", capacity}};
  return json;
}

Calibration calibration_from_json(const Json& json) {
  Calibration calibration;
  calibration.subject = text_at(json, "subject");
  calibration.note = text_at(json, "note");
  if (!json.is_object()) return calibration;
  for (const auto& [key, value] : json.items()) {
    if (const auto capacity = number_at(value, "capacity_per_s")) calibration.capacity_per_s[key] = *capacity;
  }
  return calibration;
}

std::string hash_of(Json document) {
  document["hash"] = "";
  return sha256_hex(output::document_text(document));
}

Plan read_plan(const Json& json) {
  Plan plan;
  plan.tool = member(json, "tool");
  plan.suite = text_at(json, "suite");
  plan.seed = static_cast<uint64_t>(need_integer(json, "seed", 0, INT64_MAX));
  plan.created_utc = text_at(json, "created_utc");
  plan.command = text_at(json, "command");
  plan.reference_subject = need_text(json, "reference_subject");
  plan.blocks = static_cast<int>(need_integer(json, "blocks", 1, 1000));
  plan.estimated_measured_s = number_at(json, "estimated_measured_s").value_or(0);
  plan.rerun_rule = text_at(json, "rerun_rule");
  plan.warmup_rule = text_at(json, "warmup_rule");
  plan.conformance = member(json, "conformance");
  plan.gate = member(json, "gate");
  plan.calibration = calibration_from_json(member(json, "calibration"));
  for (const Json& s : list_at(json, "subjects")) plan.subjects.push_back(subject_from_json(s));
  for (const Json& w : list_at(json, "workloads")) plan.workloads.push_back(workload_from_json(w));
  for (const Json& c : list_at(json, "cells")) plan.cells.push_back(cell_from_json(c));
  for (const Json& t : list_at(json, "schedule")) plan.schedule.push_back(trial_from_json(t, plan));
  if (!plan.subject(plan.reference_subject)) throw Damage{"reference_subject is none of the subjects"};
  return plan;
}

}  // namespace

Json plan_to_json(const Plan& plan) {
  Json json = {{"schema", "tickmark.plan/1"},
               {"tool", plan.tool},
               {"suite", plan.suite},
               {"seed", plan.seed},
               {"created_utc", plan.created_utc},
               {"command", plan.command},
               {"hash", ""},
               {"reference_subject", plan.reference_subject},
               {"blocks", plan.blocks},
               {"estimated_measured_s", std::round(plan.estimated_measured_s * 10) / 10},
               {"calibration", calibration_to_json(plan.calibration)},
               {"rerun_rule", plan.rerun_rule},
               {"warmup_rule", plan.warmup_rule},
               {"subjects", Json::array()},
               {"workloads", Json::array()},
               {"cells", Json::array()},
               {"schedule", Json::array()}};
  if (!plan.conformance.is_null()) json["conformance"] = plan.conformance;
  if (!plan.gate.is_null()) json["gate"] = plan.gate;
  for (const PlannedSubject& s : plan.subjects) json["subjects"].push_back(subject_to_json(s));
  for (const WorkloadSpec& w : plan.workloads) json["workloads"].push_back(workload_to_json(w));
  for (const PlannedCell& c : plan.cells) json["cells"].push_back(cell_to_json(c));
  for (const PlannedTrial& t : plan.schedule) {
    json["schedule"].push_back(
        {{"trial", t.trial}, {"block", t.block}, {"cell", t.cell}, {"subject", t.subject}, {"seed", t.seed}});
  }
  json["hash"] = hash_of(json);
  return json;
}

Expected<Plan> plan_from_json(const Json& document) {
  if (text_at(document, "schema") != "tickmark.plan/1") {
    return usage_error(
        fmt::format("the plan has schema '{}', expected tickmark.plan/1; use a plan.json of this version",
                    text_at(document, "schema")));
  }
  if (hash_of(document) != text_at(document, "hash")) {
    return usage_error(
        "the plan's hash does not fit its content: it was edited or damaged; make a new plan with 'tickmark "
        "run'");
  }
  try {
    return read_plan(document);
  } catch (const Damage& damage) {
    return usage_error(
        fmt::format("the plan is damaged: {}; make a new plan with 'tickmark run'", damage.what));
  }
}

}  // namespace tickmark::run
