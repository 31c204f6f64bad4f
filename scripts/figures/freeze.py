"""Latency counts from the intended send time: a server frozen for 0.6 s shows it, a closed loop does not.

The whole process tree is stopped once within 6 s at 1,000 requests/s, constant. With rho = rate / capacity the
response time at quantile q is P - (1 - rho) T (1 - q): 300 ms at p95, 540 ms at p99 for rho near 0.
"""
import argparse
import signal
import sys
import threading
import time

import pathlib
sys.path.insert(0, str(pathlib.Path(__file__).parent))
from common import load, serving, signal_tree, verdict  # noqa: E402

PAUSE_S, WINDOW_S, RATE, CONNECTIONS = 0.6, 6.0, 1000, 50


def frozen_load(url, pid, *arguments):
    """A load with one freeze in the middle of its window."""

    def freeze():
        time.sleep(0.5 + 2.5)  # warm-up, then well inside the window
        signal_tree(pid, signal.SIGSTOP)
        start = time.monotonic()
        time.sleep(max(0, PAUSE_S - (time.monotonic() - start)))
        signal_tree(pid, signal.SIGCONT)

    thread = threading.Thread(target=freeze)
    thread.start()
    common = ["--connections", str(CONNECTIONS), "--duration", f"{WINDOW_S:.0f}s", "--warmup", "500ms"]
    try:
        return load(url, *common, *arguments)
    finally:
        thread.join()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", default="nginx", help="nginx, or a subject (served with the workload hello)")
    parser.add_argument("--repeat", type=int, default=1)
    options = parser.parse_args()
    good = True
    for _ in range(options.repeat):
        with serving(options.server) as (url, pid):
            opened = frozen_load(url, pid, "--rate", str(RATE), "--arrivals", "constant")
            closed = frozen_load(url, pid, "--closed")
        capacity = closed["achieved_rate_per_s"] * WINDOW_S / (WINDOW_S - PAUSE_S)
        rho = RATE / capacity
        print(f"{options.server}: capacity {capacity:,.0f}/s in the closed loop, rho {rho:.3f}")
        for key, q in (("p95", 0.95), ("p99", 0.99)):
            expected = (PAUSE_S - (1 - rho) * WINDOW_S * (1 - q)) * 1e3
            seen = opened["response_time_ns"][key] / 1e6
            good &= verdict(f"open loop, response time {key}", f"{expected:.0f} ms within 5 %", f"{seen:.1f} ms",
                            abs(seen / expected - 1) <= 0.05)
        keys = ("completed", "errors", "timeouts", "in_flight", "unsent")
        good &= verdict("scheduled = the sum of its fates", str(opened["scheduled"]),
                        str(sum(opened[k] for k in keys)), opened["scheduled"] == sum(opened[k] for k in keys))
        lie = closed["service_time_ns"]["p99"] / 1e6
        good &= verdict("closed loop, service time p99 (the lie)", "below 100 ms", f"{lie:.2f} ms", lie < 100)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
