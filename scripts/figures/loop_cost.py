"""CPU per echo of the reference loop, both backends, against raw system calls and the loops people use (16 min).

sockets, closed loop, 64-byte messages, at 64, 1,000 and 5,000 connections, subject alone on a core. Each line is the
Hodges-Lehmann estimate of the in-block ratios with its 95 % interval, as the bundle's analysis has it; a goal is met
if the estimate meets it and the interval's upper end exceeds it by 0.05 at most. libuv is judged as its users write
it (uv_write, write=queue: what the goals were taken from); write=try stands beside it as a remark.
"""
import argparse
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from common import judge_ratio, ratios, run_suite  # noqa: E402

CONNECTIONS = (64, 1000, 5000)
GOALS = {
    "epoll": {"raw_epoll": (1.05, 1.05, 1.05), "libuv:write=queue": (0.87, 0.91, 0.87), "asio": (0.95, 0.95, 0.95)},
    "io_uring": {"raw_epoll": (0.90, 0.90, 0.90), "raw_io_uring": (1.05, 1.05, 1.05),
                 "libuv:write=queue": (0.75, 0.80, 0.75), "asio": (0.82, 0.82, 0.82)},
}


def prove(backend, blocks):
    good = True
    with run_suite(f"loop_cost_{backend}", blocks=blocks) as bundle:
        reference, found = ratios(bundle, "cpu_ns_per_request")
    subjects = sorted({subject for _, subject in found} - {reference})
    for number, connections in enumerate(CONNECTIONS):
        cell = f"sockets/closed/{connections}"
        for subject in subjects:
            goals = GOALS[backend].get(subject)
            good &= judge_ratio(f"{backend}, {connections}: CPU to {subject}", found.get((cell, subject)),
                                goals[number] if goals else 0, inverse=True, decides=bool(goals))
    return good


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--backend", choices=[*GOALS, "both"], default="both")
    parser.add_argument("--blocks", type=int, default=20)
    options = parser.parse_args()
    backends = list(GOALS) if options.backend == "both" else [options.backend]
    return 0 if all([prove(backend, options.blocks) for backend in backends]) else 1


if __name__ == "__main__":
    sys.exit(main())
