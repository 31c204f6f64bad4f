"""The generator is not the bottleneck: its closed-loop requests/s against wrk's on the same null server.

Interleaved runs at 64 connections, server on the first core, client on the last, one thread each; the median
of the in-pair ratios must be at least 0.90.
"""
import argparse
import os
import re
import shutil
import statistics
import subprocess
import sys

import pathlib
sys.path.insert(0, str(pathlib.Path(__file__).parent))
from common import fail, load, serving, verdict  # noqa: E402


def wrk(url, seconds, cpu):
    done = subprocess.run(["taskset", "-c", str(cpu), "wrk", "-t1", "-c64", f"-d{seconds}s", url],
                          capture_output=True, text=True, check=True)
    return float(re.search(r"Requests/sec:\s*([\d.]+)", done.stdout)[1])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", default="nginx", help="nginx, or a subject (served with the workload hello)")
    parser.add_argument("--pairs", type=int, default=7)
    parser.add_argument("--seconds", type=int, default=3)
    options = parser.parse_args()
    if not shutil.which("wrk"):
        fail("wrk is not installed; run scripts/install-dependencies --prove")
    cores = sorted(os.sched_getaffinity(0))
    ratios = []
    with serving(options.server, cpu=cores[0]) as (url, _):
        for pair in range(options.pairs):
            def ours():
                report = load(url, "--closed", "--connections", "64", "--duration", f"{options.seconds}s",
                              "--cpu", str(cores[-1]))
                return report["achieved_rate_per_s"]

            def theirs():
                return wrk(url, options.seconds, cores[-1])

            if pair % 2:
                other, own = theirs(), ours()
            else:
                own, other = ours(), theirs()
            ratios.append(own / other)
            print(f"pair {pair + 1}: tickmark {own:,.0f}/s, wrk {other:,.0f}/s, ratio {own / other:.3f}", flush=True)
    median = statistics.median(ratios)
    return 0 if verdict("median ratio to wrk", "at least 0.90", f"{median:.3f}", median >= 0.9) else 1


if __name__ == "__main__":
    sys.exit(main())
