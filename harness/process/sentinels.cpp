#include "harness/process/sentinels.h"

#include <algorithm>
#include <unistd.h>

#include "harness/process/process_tree.h"
#include "harness/process/text.h"

namespace tickmark::process {
namespace {

/// netstat and snmp come in pairs of lines, names above values: "TcpExt: A B" / "TcpExt: 1 2".
uint64_t counter(std::string_view text, std::string_view group, std::string_view name) {
  const auto lines = split_lines(text);
  for (size_t i = 0; i + 1 < lines.size(); ++i) {
    if (!lines[i].starts_with(group) || !lines[i + 1].starts_with(group)) continue;
    const auto names = split_words(lines[i]), values = split_words(lines[i + 1]);
    const auto at = std::ranges::find(names, name);
    if (at == names.end()) return 0;
    const auto column = static_cast<size_t>(at - names.begin());
    return column < values.size() ? static_cast<uint64_t>(to_integer(values[column])) : 0;
  }
  return 0;
}

uint64_t increase(uint64_t begin, uint64_t end) { return end > begin ? end - begin : 0; }

}  // namespace

SystemSnapshot parse_system(std::string_view stat, std::string_view netstat, std::string_view snmp,
                            long ticks_per_second) {
  SystemSnapshot snapshot;
  const Nanos tick{1'000'000'000 / ticks_per_second};
  for (const std::string_view line : split_lines(stat)) {
    if (line.starts_with("cpu ")) {
      // user nice system idle iowait irq softirq steal; guest time is contained in user (proc(5)).
      const auto words = split_words(line);
      Nanos fields[8] = {};
      for (size_t i = 0; i < 8 && i + 1 < words.size(); ++i) fields[i] = tick * to_integer(words[i + 1]);
      snapshot.busy = fields[0] + fields[1] + fields[2] + fields[5] + fields[6];
      snapshot.steal = fields[7];
      snapshot.total = snapshot.busy + snapshot.steal + fields[3] + fields[4];
    } else if (line.starts_with("cpu")) {
      ++snapshot.cpus;
    }
  }
  snapshot.context_switches = static_cast<uint64_t>(to_integer(value_of(stat, "ctxt")));
  snapshot.listen_overflows = counter(netstat, "TcpExt:", "ListenOverflows");
  snapshot.listen_drops = counter(netstat, "TcpExt:", "ListenDrops");
  snapshot.syn_cookies = counter(netstat, "TcpExt:", "TCPReqQFullDoCookies");
  snapshot.retransmits = counter(snmp, "Tcp:", "RetransSegs");
  return snapshot;
}

SystemSnapshot sample_system() {
  const Nanos at = now();
  auto snapshot = parse_system(read_proc_file("/proc/stat"), read_proc_file("/proc/net/netstat"),
                               read_proc_file("/proc/net/snmp"), ::sysconf(_SC_CLK_TCK));
  snapshot.at = at;
  return snapshot;
}

Environment environment_between(const SystemSnapshot& begin, const SystemSnapshot& end, Nanos subject_cpu,
                                Nanos client_cpu) {
  Environment environment;
  environment.listen_overflows = increase(begin.listen_overflows, end.listen_overflows);
  environment.listen_drops = increase(begin.listen_drops, end.listen_drops);
  environment.syn_cookies = increase(begin.syn_cookies, end.syn_cookies);
  environment.retransmits = increase(begin.retransmits, end.retransmits);
  // The wall clock, not the sum of the ticks: an idle CPU under NO_HZ may report its idle time late.
  const double machine = seconds(end.at - begin.at) * std::max(1, end.cpus);
  if (machine <= 0) return environment;
  const double foreign = seconds(end.busy - begin.busy - subject_cpu - client_cpu);
  environment.foreign_cpu_share = std::clamp(foreign / machine, 0.0, 1.0);
  environment.steal_share = std::clamp(seconds(end.steal - begin.steal) / machine, 0.0, 1.0);
  return environment;
}

}  // namespace tickmark::process
