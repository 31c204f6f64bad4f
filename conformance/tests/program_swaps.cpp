#include "conformance/tests/program_swaps.h"

#include <fmt/format.h>

namespace tickmark::programs {
namespace {

// What a reader tells apart.
std::string_view kind_of(Verb verb) {
  if (is_job(verb)) return "microtask";
  if (is_timer(verb)) return "timeout";
  if (is_pool(verb)) return "pool";
  return name_of(verb);
}

class Parents {
 public:
  explicit Parents(const Program& program) {
    for (size_t i = 0; i < program.size(); ++i)
      program.each_in_body(static_cast<Label>(i),
                           [&](Label inner) { parent_[inner] = static_cast<Label>(i); });
  }
  bool is_ancestor(Label ancestor, Label of) const {
    while (of != kMain && of != ancestor) of = parent_[of];
    return of == ancestor;
  }

 private:
  std::array<Label, kMaxActions> parent_{};
};

std::string listed(const Program& program, const Order& order) {
  std::string text;
  for (const Step step : order) text += " " + name_of(program, step);
  return text;
}

void judge_orders(const Program& program, const Orders& orders, Acceptor& acceptor, Tightness& result) {
  for (const Order& order : orders.all) {
    const auto refusal = acceptor.judge(program, order);
    if (!refusal) continue;
    if (result.refused_orders++ == 0) result.first_missed = describe(program, order, *refusal);
  }
}

// Exchanges of neighbours that were not seen.
std::set<Order> exchanges(const Program& program, const Orders& orders) {
  std::set<Order> unseen;
  for (const Order& order : orders.all) {
    for (size_t i = 0; i + 1 < order.size(); ++i) {
      // The loop has one order for the close callbacks of a phase; that is a habit, and not asked for.
      if (program[order[i].label].verb == Verb::close && program[order[i + 1].label].verb == Verb::close)
        continue;
      Order swapped = order;
      std::swap(swapped[i], swapped[i + 1]);
      if (!orders.all.contains(swapped)) unseen.insert(std::move(swapped));
    }
  }
  return unseen;
}

void judge_swaps(const Program& program, const Orders& orders, Acceptor& acceptor, Tightness& result) {
  constexpr uint64_t kSchedulesMost = 100'000;
  const std::set<Order> unseen = exchanges(program, orders);
  std::set<Order> accepted;
  for (const Order& order : unseen) {
    if (!acceptor.judge(program, order)) accepted.insert(order);
  }
  const std::set<Order> legal = found_at_random(program, accepted, kSchedulesMost);
  result.found_at_random += legal.size();
  result.illegal += unseen.size() - legal.size();
  result.refused += unseen.size() - accepted.size();
  for (const Order& order : accepted) {
    if (legal.contains(order) || !result.first_missed.empty()) continue;
    result.first_missed = fmt::format("{}accepted, but not an order of it:{}\n{}\n", to_text(program),
                                      listed(program, order), to_json(program));
  }
}

}  // namespace

Tightness tightness(uint64_t seed, uint64_t programs, size_t callbacks_most) {
  constexpr uint64_t kRunsMost = 20'000;
  const Shape shape{.actions_min = 3, .actions_max = static_cast<unsigned>(callbacks_most + 2)};
  Tightness result;
  Acceptor acceptor(virtual_profile());
  for (uint64_t index = 0; result.programs < programs; ++index) {
    const Program program = generate(seed, index, shape);
    if (program.callbacks() < 2 || program.callbacks() > callbacks_most) continue;
    const Orders orders = all_orders(program, kRunsMost);
    result.runs += orders.runs;
    if (!orders.complete) continue;
    ++result.programs;
    result.orders += orders.all.size();
    judge_orders(program, orders, acceptor, result);
    judge_swaps(program, orders, acceptor, result);
  }
  return result;
}

Swaps swaps(uint64_t seed, uint64_t programs, const Shape& shape) {
  Swaps result;
  VirtualProgram player(seed);
  Acceptor acceptor(virtual_profile());
  for (uint64_t index = 0; index < programs; ++index) {
    const Program program = generate(seed, index, shape);
    const Parents parents(program);
    std::vector<Step> steps = player.play(program).steps;
    for (size_t i = 0; i + 1 < steps.size(); ++i) {
      const Step first = steps[i];
      const Step second = steps[i + 1];
      if (parents.is_ancestor(first.label, second.label)) continue;
      std::swap(steps[i], steps[i + 1]);
      const bool is_refused = acceptor.judge(program, steps).has_value();
      std::swap(steps[i], steps[i + 1]);
      SwapCount& pair = result.by_pair[fmt::format("{}, {}", kind_of(program[first.label].verb),
                                                   kind_of(program[second.label].verb))];
      for (SwapCount* count : {&result.all, &pair}) {
        ++count->swaps;
        count->refused += is_refused ? 1 : 0;
      }
    }
  }
  return result;
}

}  // namespace tickmark::programs
