#include "harness/stats/looks.h"

#include <algorithm>
#include <cassert>
#include <cmath>

#include "harness/stats/signed_rank.h"

namespace tickmark::stats {

double error_spent(double alpha, double t) {
  assert(alpha > 0 && alpha < 1 && t > 0 && t <= 1);
  return 2 * (1 - normal_cdf(normal_quantile(1 - alpha / 2) / std::sqrt(t)));
}

std::vector<double> look_levels(std::span<const int> looks, double alpha) {
  assert(!looks.empty() && looks.front() > 0 && std::ranges::is_sorted(looks, std::ranges::less_equal{}));
  std::vector<double> levels;
  double before = 0;
  for (const int blocks : looks) {
    const double spent = error_spent(alpha, static_cast<double>(blocks) / looks.back());
    levels.push_back(spent - before);
    before = spent;
  }
  return levels;
}

}  // namespace tickmark::stats
