"""Claim os-async-beats-pool: the fs workload by io_uring against the pool, CPU and throughput (4 min).

One program, one backend; only the option `files` differs. Hodges-Lehmann ratios over interleaved blocks with their
95 % intervals. The claim holds where io_uring costs less CPU and serves more, does not where it costs more and serves
less, and depends on the operation where the operations disagree or one metric contradicts the other. What could not
be measured is named beside it. Exit 1: of some operation neither could be measured, so nothing is decided.
"""
import argparse
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from common import ratios, remark, run_suite  # noqa: E402

RING = "reference_loop:backend=io_uring,files=ring"
METRICS = {"cpu_ns_per_request": "CPU per request", "throughput_per_s": "throughput"}


def side(metric, comparison):
    """+1: the ring is better, -1: the pool is, 0: no difference is seen; nothing without an interval."""
    if not comparison or "ratio_high" not in comparison:
        return None
    if comparison["ratio_low"] <= 1 <= comparison["ratio_high"]:
        return 0
    return 1 if (comparison["ratio"] > 1) == (metric == "throughput_per_s") else -1


def decide(sides):
    """The verdict of {(operation, metric): side}; "not measured" if nothing is known of some operation."""
    known = {key: found for key, found in sides.items() if found is not None}
    if not known or {operation for operation, _ in known} != {operation for operation, _ in sides}:
        return "not measured"
    missing = ", ".join(f"{operation} {METRICS[metric]}" for operation, metric in sides.keys() - known.keys())
    beside = f" (not measured: {missing})" if missing else ""
    if set(known.values()) <= {0, 1} and 1 in known.values():
        return "holds here" + beside
    if set(known.values()) <= {0, -1}:
        return "does not hold here" + beside
    kinds = {1: "the ring", 0: "neither", -1: "the pool"}
    said = ", ".join(f"{operation} {METRICS[metric]}: {kinds[found]}" for (operation, metric), found in known.items())
    return f"depends, better is: {said}" + beside


def shown(comparison):
    if not comparison or "ratio_high" not in comparison:
        return f"no interval: {comparison['note'] if comparison else 'it was not measured'}"
    return (f"{comparison['ratio']:.3f} [{comparison['ratio_low']:.3f}, {comparison['ratio_high']:.3f}], "
            f"{comparison['pairs']} blocks")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--blocks", type=int, default=20)
    options = parser.parse_args()
    sides = {}
    with run_suite("files_ring", blocks=options.blocks) as bundle:
        for metric, name in METRICS.items():
            _, found = ratios(bundle, metric)
            for (cell, subject), comparison in found.items():
                if subject != RING:
                    continue
                operation = cell.split("/")[1]
                sides[operation, metric] = side(metric, comparison)
                remark(f"{operation}: {name}, ring to pool", shown(comparison))
    decision = decide(sides)
    print(f"os-async-beats-pool: {decision}")
    return 1 if decision == "not measured" else 0


if __name__ == "__main__":
    sys.exit(main())
