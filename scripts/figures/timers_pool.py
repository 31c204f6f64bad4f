"""Timers and pool of the reference loop against libuv's, by Google Benchmark, repetitions interleaved (1 min).

Medians of the repetitions: CPU time of a million timers, wall time of no-op works there and back. Asio's stand beside
them and decide nothing.
"""
import argparse
import json
import pathlib
import re
import statistics
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from common import ROOT, fail, remark, verdict  # noqa: E402

BENCH = ROOT / "build" / "bin" / "refloop_bench"
# benchmark, peers, the time that counts, goal to libuv (None: a remark)
QUESTIONS = {
    "pool no-op, 64 in flight": ("pool_{}/64", ("libuv", "asio"), "real_time", 0.6),
    "1,000,000 timers, start and stop": ("timer_start_stop_{}/1000000", ("libuv",), "cpu_time", 0.5),
    "1,000,000 timers, start and fire": ("timer_fire_{}/1000000", ("libuv",), "cpu_time", 0.5),
    "turn of the loop": ("turn_{}", ("libuv", "asio"), "cpu_time", None),
    "wake-up, own thread": ("async_same_thread_{}", ("libuv", "asio"), "cpu_time", None),
}
SUFFIXES = "(/process_time)?(/real_time)?"  # how the benchmark names what it measures


def times(repetitions):
    """{(benchmark, cpu_time or real_time): [one per repetition]}; a million timers once per repetition are enough."""
    names = [name.format(f"(refloop|{'|'.join(peers)})") for name, peers, _, _ in QUESTIONS.values()]
    millions = [name for name in names if name.endswith("000000")]
    others = [name for name in names if name not in millions]
    return {**run(others, repetitions, "0.2"), **run(millions, repetitions, "0.01")}


def run(names, repetitions, seconds):
    done = subprocess.run([BENCH, f"--benchmark_filter=^({'|'.join(names)}){SUFFIXES}$",
                           f"--benchmark_repetitions={repetitions}", f"--benchmark_min_time={seconds}",
                           "--benchmark_enable_random_interleaving=true", "--benchmark_format=json"],
                          stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        fail("the benchmark failed")
    found = {}
    for one in json.loads(done.stdout)["benchmarks"]:
        if one["run_type"] == "iteration":
            for kind in ("cpu_time", "real_time"):
                name = re.sub(SUFFIXES + "$", "", one["run_name"])
                found.setdefault((name, kind), []).append(one[kind])
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repetitions", type=int, default=5)
    options = parser.parse_args()
    if not BENCH.exists():
        fail("build/bin/refloop_bench is missing; run cmake --build build --target refloop_bench")
    found = times(options.repetitions)
    good = True
    for what, (name, peers, kind, goal) in QUESTIONS.items():
        ours = statistics.median(found.get((name.format("refloop"), kind), [0]))
        for peer in peers:
            theirs = statistics.median(found.get((name.format(peer), kind), [0]))
            judged = goal and peer == "libuv"
            seen = f"{ours / theirs:.3f} ({ours:,.0f} to {theirs:,.0f} ns)" if ours and theirs else "not measured"
            if judged:
                good &= verdict(f"{what}, to {peer}", f"at most {goal}", seen,
                                bool(ours and theirs) and ours / theirs <= goal)
            else:
                remark(f"{what}, to {peer}", seen)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
