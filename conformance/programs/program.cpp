#include "conformance/programs/program.h"

#include <algorithm>
#include <cassert>
#include <fmt/format.h>

namespace tickmark::programs {
namespace {

constexpr std::array<std::string_view, kVerbs> kNames{
    "main",      "tick", "microtask", "then",  "await", "async_return", "thenable", "timeout", "interval",
    "immediate", "fs",   "crypto",    "close", "clear", "refresh",      "unref",    "block",   "throw"};
constexpr std::array<Verb, kVerbs> kAll{
    Verb::main,     Verb::tick,    Verb::microtask, Verb::then,      Verb::await, Verb::async_return,
    Verb::thenable, Verb::timeout, Verb::interval,  Verb::immediate, Verb::fs,    Verb::crypto,
    Verb::close,    Verb::clear,   Verb::refresh,   Verb::unref,     Verb::block, Verb::fail};

void describe(const Program& program, Label label, int depth, std::string& text) {
  const Action& action = program[label];
  text.append(static_cast<size_t>(depth) * 2, ' ');
  if (action.target != 0 && !has_callback(action.verb))
    text += fmt::format("{} {}", name_of(action.verb), program.name(action.target));
  else if (action.verb == Verb::block)
    text += fmt::format("block {} ms", action.ms);
  else if (is_timer(action.verb))
    text += fmt::format("{} {} ms", program.name(label), action.ms);
  else
    text +=
        has_callback(action.verb) || label == kMain ? program.name(label) : std::string(name_of(action.verb));
  if (action.count > 1) {
    text += action.verb == Verb::then ? fmt::format(", the last of {}", action.count)
                                      : fmt::format(", {} times", action.count);
  }
  text += '\n';
  program.each_in_body(label, [&](Label inner) { describe(program, inner, depth + 1, text); });
}

}  // namespace

std::string_view name_of(Verb verb) { return kNames[static_cast<size_t>(verb)]; }

const Verb* find_verb(std::string_view name) {
  const auto found = std::ranges::find(kNames, name);
  return found == kNames.end() ? nullptr : &kAll[static_cast<size_t>(found - kNames.begin())];
}

Label Program::add(Label parent, Action action) {
  assert(size_ < kMaxActions && "a program of at most 63 actions");
  const Label label = size_++;
  action.first = action.next = 0;
  actions_[label] = action;
  last_[label] = 0;
  if (last_[parent] == 0)
    actions_[parent].first = label;
  else
    actions_[last_[parent]].next = label;
  last_[parent] = label;
  return label;
}

std::string Program::name(Label label) const {
  if (label == kMain) return "main";
  return fmt::format("{}{}", name_of(actions_[label].verb), label);
}

size_t Program::callbacks() const {
  return static_cast<size_t>(std::count_if(actions_.begin() + 1, actions_.begin() + size_,
                                           [](const Action& action) { return has_callback(action.verb); }));
}

bool Program::has(Verb verb) const {
  return std::any_of(actions_.begin() + 1, actions_.begin() + size_,
                     [verb](const Action& action) { return action.verb == verb; });
}

bool Program::operator==(const Program& other) const {
  return size_ == other.size_ &&
         std::equal(actions_.begin(), actions_.begin() + size_, other.actions_.begin());
}

std::string to_text(const Program& program) {
  std::string text;
  describe(program, kMain, 0, text);
  return text;
}

}  // namespace tickmark::programs
