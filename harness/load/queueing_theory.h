#pragma once
// Response times that queueing theory promises, for the tests that hold the generator against them
// (METHOD.md, T1). All times in seconds; rho = arrival rate * mean service time / servers must be below 1.
// Sources: Kleinrock, "Queueing Systems" I (1975): M/M/1 section 3.2, M/M/c 3.5, M/G/1 5.7
// (Pollaczek-Khinchine).

#include <algorithm>
#include <cassert>
#include <cmath>
#include <functional>
#include <vector>

namespace tickmark::load::theory {

/// P(response time > t); never rises with t.
using Tail = std::function<double(double t)>;

/// One outcome of a service time that has a few.
struct Service {
  double seconds;
  double probability;
};

namespace detail {

/// Erlang's C: the probability that an arrival has to wait.
inline double erlang_c(double offered, int servers) {
  double term = 1;
  double sum = 0;
  for (int k = 0; k < servers; ++k) {
    sum += term;
    term *= offered / (k + 1);
  }
  const double waiting = term / (1 - offered / servers);
  return waiting / (sum + waiting);
}

/// Residual of the service an arrival finds in progress, on the grid: P(residual in cell j).
inline std::vector<double> residual(const std::vector<Service>& services, double mean, double step,
                                    std::size_t cells) {
  std::vector<double> cell(cells);
  for (const Service& s : services) {
    // Density P(S > x) / E[S]: each atom adds probability / mean on [0, seconds).
    for (std::size_t j = 0; j < cells; ++j) {
      const double from = static_cast<double>(j) * step;
      if (from >= s.seconds) break;
      cell[j] += s.probability * (std::min(from + step, s.seconds) - from) / mean;
    }
  }
  return cell;
}

/// P(wait <= j * step) with each residual rounded up to the grid (`up`) or down.
inline std::vector<double> wait_distribution(const std::vector<double>& cell, double rho, bool up) {
  const std::size_t cells = cell.size();
  const double at_zero = up ? 0 : cell[0];
  std::vector<double> mass(cells);
  std::vector<double> cumulative(cells);
  mass[0] = (1 - rho) / (1 - rho * at_zero);
  cumulative[0] = mass[0];
  for (std::size_t n = 1; n < cells; ++n) {
    double sum = 0;
    for (std::size_t j = 1; j <= n; ++j) {
      const double weight = cell[up ? j - 1 : j];
      if (weight == 0) break;  // past the longest service
      sum += weight * mass[n - j];
    }
    mass[n] = rho * sum / (1 - rho * at_zero);
    cumulative[n] = cumulative[n - 1] + mass[n];
  }
  return cumulative;
}

}  // namespace detail

/// Poisson arrivals, exponential service, `servers` servers, one line.
inline Tail mmc(double arrivals_per_s, double mean_service_s, int servers) {
  const double mu = 1 / mean_service_s;
  const double waits = detail::erlang_c(arrivals_per_s * mean_service_s, servers);
  const double drain = servers * mu - arrivals_per_s;
  assert(drain > 0 && std::abs(drain - mu) > 1e-9 * mu);
  if (servers == 1) return [=](double t) { return std::exp(-drain * t); };
  return [=](double t) {
    const double served = std::exp(-mu * t);
    const double left = std::exp(-drain * t);
    return (1 - waits) * served + waits * (left + drain * (served - left) / (drain - mu));
  };
}

/// Poisson arrivals, one server whose service time has the given distribution. The wait is the compound
/// geometric sum of residual services (Pollaczek-Khinchine), summed numerically on a grid of `step_s` (the
/// residual of each atom is uniform; Panjer's recursion), up to `longest_s`.
inline Tail mg1(double arrivals_per_s, const std::vector<Service>& services, double step_s,
                double longest_s) {
  double mean = 0;
  for (const Service& s : services) mean += s.probability * s.seconds;
  const double rho = arrivals_per_s * mean;
  assert(rho < 1);
  const auto cells = static_cast<std::size_t>(longest_s / step_s);
  const auto cell = detail::residual(services, mean, step_s, cells);
  // Between the bound from above and the one from below.
  auto low = detail::wait_distribution(cell, rho, true);
  const auto high = detail::wait_distribution(cell, rho, false);
  for (std::size_t i = 0; i < cells; ++i) low[i] = (low[i] + high[i]) / 2;
  const auto waited_at_most = [low, step_s](double t) {
    if (t < 0) return 0.0;
    const auto i = static_cast<std::size_t>(t / step_s);
    if (i + 1 >= low.size()) return 1.0;
    const double part = t / step_s - static_cast<double>(i);
    return low[i] + part * (low[i + 1] - low[i]);
  };
  return [=](double t) {
    double within = 0;
    for (const Service& s : services) within += s.probability * waited_at_most(t - s.seconds);
    return 1 - within;
  };
}

/// The time that is exceeded with probability 1 - q, by bisection between 0 and `longest_s`.
inline double quantile(const Tail& tail, double q, double longest_s) {
  double low = 0;
  double high = longest_s;
  for (int i = 0; i < 60; ++i) {
    const double middle = (low + high) / 2;
    (tail(middle) > 1 - q ? low : high) = middle;
  }
  return high;
}

/// Of `window_s` at constant arrivals the server stops once for `pause_s`: response time at quantile `q`, if
/// that lies among the requests that waited. Those come one after the other at 1 / rate and each finds the
/// line shorter by 1 - rho of that.
inline double paused(double pause_s, double window_s, double rho, double q) {
  return pause_s - (1 - rho) * window_s * (1 - q);
}

}  // namespace tickmark::load::theory
