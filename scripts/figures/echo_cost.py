"""What the reference loop costs per message: CPU against raw system calls and against libuv, in one run.

sockets, closed loop, at 64 and at 5,000 connections; the median of the in-block ratios over the valid blocks.
Goals: at most 1.15 times raw_epoll, at most 1.00 times libuv.
"""
import argparse
import collections
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from common import TICKMARK, fail, verdict  # noqa: E402

GOALS = {"raw_epoll": 1.15, "libuv": 1.00}


def cpu_by_block(bundle):
    """{(cell, block): {subject: CPU ns per request}} of the valid trials."""
    costs = collections.defaultdict(dict)
    for line in (bundle / "trials.ndjson").read_text().splitlines():
        trial = json.loads(line)
        if trial["status"] in ("ok", "saturated") and trial["validity"]["cpu"]["valid"]:
            costs[trial["cell"], trial["block"]][trial["subject"]] = trial["metrics"]["cpu_ns_per_request"]
    return costs


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--blocks", type=int, default=12)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        bundle = pathlib.Path(folder) / "bundle"
        command = [TICKMARK, "run", "reference_loop", *GOALS, "--suite", "echo_cost", "--blocks", str(options.blocks),
                   "--no-conform", "--no-report", "--output", str(bundle)]
        if subprocess.run(command, stdout=subprocess.DEVNULL).returncode not in (0, 4):
            fail("the run failed")
        costs = cpu_by_block(bundle)
    good = True
    for cell in sorted({cell for cell, _ in costs}):
        for other, goal in GOALS.items():
            ratios = [cost["reference_loop"] / cost[other] for (own, _), cost in costs.items()
                      if own == cell and {"reference_loop", other} <= cost.keys()]
            if len(ratios) < 6:
                fail(f"only {len(ratios)} valid blocks of {cell}; six are needed")
            median = statistics.median(ratios)
            good &= verdict(f"{cell}: CPU per message to {other}", f"at most {goal:.2f}",
                            f"{median:.3f} ({len(ratios)} blocks)", median <= goal)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
