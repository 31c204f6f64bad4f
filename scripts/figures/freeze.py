"""Latency counts from the intended send time: servers frozen for 0.6 s show it, a closed loop does not (90 s).

The whole process tree is stopped once within 6 s at a constant rate, on 50 connections and on 5,000. With rho = rate /
capacity the response time at quantile q is P - (1 - rho) T (1 - q): 300 ms at p95, 540 ms at p99 for rho near 0. After
the stop everything that was asked meanwhile is answered at once: a client slower than the server would show in both.

    scripts/prove freeze --broken stamps_at_the_send    shows that a generator that lies is refused
"""
import argparse
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from common import (Unserved, add_broken, conclude, fail, load, remark, server, stop_quantile_ms,  # noqa: E402
                    stopped_once, use_broken, verdict)

PAUSE_S, WINDOW_S, WARMUP_S, RAMP_S = 0.6, 6.0, 0.5, 1.0
# Connections -> requests/s. The many get more, so that 1,200 replies come at once.
FEW, MANY = (50, 1000), (5000, 2000)
SERVERS = ("nginx", "reference_loop", "node", "thread_per_connection")
SERVERS_WITH_MANY = ("reference_loop", "nginx")
SERVERS_MIN = 2
CLIENT_BUSY = 0.70


def frozen_load(one, connections, *arguments):
    """(report, length of the stop) of a load with one freeze in the middle of its window."""
    with stopped_once(one.pid, RAMP_S + WARMUP_S + 1.5, PAUSE_S) as lengths:
        report = load(f"http://127.0.0.1:{one.port}/hello", "--connections", str(connections), "--duration",
                      f"{WINDOW_S:.0f}s", "--warmup", f"{WARMUP_S * 1e3:.0f}ms", *arguments)
    return report, lengths[0]


def judge_server(name, one, connections, rate):
    opened, pause = frozen_load(one, connections, "--rate", str(rate), "--arrivals", "constant")
    closed, closed_pause = frozen_load(one, connections, "--closed")
    capacity = closed["achieved_rate_per_s"] * WINDOW_S / (WINDOW_S - closed_pause)
    rho = rate / capacity
    print(f"{name}, {connections:,} connections, {rate:,}/s: capacity {capacity:,.0f}/s in the closed loop, "
          f"rho {rho:.3f}", flush=True)
    good = True
    for key, q in (("p95", 0.95), ("p99", 0.99)):
        expected = stop_quantile_ms(pause, WINDOW_S, rho, q)
        seen = (opened["response_time_ns"][key] or 0) / 1e6
        good &= verdict(f"open loop, response time {key}", f"{expected:.0f} ms within 5 %", f"{seen:.1f} ms",
                        abs(seen / expected - 1) <= 0.05)
    fates = ("completed", "errors", "timeouts", "in_flight", "unsent")
    told = sum(opened[k] for k in fates)
    good &= verdict("open loop, scheduled = the sum of its fates", str(opened["scheduled"]), str(told),
                    opened["scheduled"] == told)
    good &= verdict("open loop, every request was answered", str(opened["scheduled"]), str(opened["completed"]),
                    opened["scheduled"] == opened["completed"])
    busy = opened["client"]["cpu_utilisation"]
    good &= verdict("the client was not the bottleneck", f"below {CLIENT_BUSY:.0%} of a core", f"{busy:.1%}",
                    busy < CLIENT_BUSY)
    # Every connection holds one slow request. Few connections hide them well below p99; many ask as often each, so
    # that their p99 is connections / capacity, whatever stops.
    hidden = connections < 0.001 * closed["service_time_ns"]["count"]
    lie = closed["service_time_ns"]["p99"] / 1e6
    if hidden:
        good &= verdict("closed loop, service time p99 (the lie)", "below 100 ms", f"{lie:.2f} ms", lie < 100)
    else:
        remark("closed loop, service time p99", f"{lie:.2f} ms")
    return good


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", action="append", help="nginx, or a subject (served with the workload hello)")
    parser.add_argument("--repeat", type=int, default=1)
    add_broken(parser)
    options = parser.parse_args()
    use_broken(options.broken)
    names = options.server or SERVERS
    good, served = True, set()
    for _ in range(options.repeat):
        for name in names:
            try:
                with server(name, "hello") as one:
                    good &= judge_server(name, one, *FEW)
                    if name in SERVERS_WITH_MANY:
                        good &= judge_server(name, one, *MANY)
                served.add(name)
            except Unserved as why:
                remark(name, str(why))
    if len(served) < min(SERVERS_MIN, len(names)):
        fail(f"only {len(served)} of the servers {', '.join(names)} are here; run scripts/install-dependencies --prove")
    return conclude(good, options.broken, "open loop")


if __name__ == "__main__":
    sys.exit(main())
