#include "conformance/oracle/hang.h"

#include <fmt/format.h>

namespace tickmark::conformance {

// One that loops for ever gets its share, which is a fifth of its wait or more beside up to five others;
// beside more it cannot be told from one that was not given the machine. One that waits for what never comes
// did not want a CPU.
bool was_starved(const Hang& hang) {
  const Nanos kept_from_it = hang.waited + hang.lost;
  return hang.lasted > Nanos{0} && kept_from_it > hang.lasted / 2 && hang.cpu < kept_from_it / 5;
}

std::string times_text(const Hang& hang) {
  if (hang.lasted <= Nanos{0}) return "";
  std::string text = fmt::format(
      "in {:.2f} s it used {:.2f} s of CPU, was ready for one for {:.2f} s and stood still for {:.2f} s",
      seconds(hang.lasted), seconds(hang.cpu), seconds(hang.waited), seconds(hang.lost));
  if (!hang.states.empty()) text += "; " + hang.states;
  return text;
}

}  // namespace tickmark::conformance
