"""The gate that counts: equal programs count equal, and so many instructions more are seen as so many (3 min).

The reference loop against itself under another name must be OK with a ratio of 1.000 in every metric, and 2 % more
instructions per request (`slowdown=16i` against `slowdown=2i`, so that both pay for being slowed down at all) a
REGRESSION with just that difference, 0.5 % none. A slowdown in CPU time (`slowdown=2%`) spins for a time and not for
so many instructions: its counts must not agree, or be a REGRESSION, but never OK. `--all` says of the other subjects
whether they can be counted.
"""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from common import ROOT, TICKMARK, fail, remark, verdict  # noqa: E402

SLOWED = "reference_loop:slowdown={}i"
LEAST = 2  # instructions put in, so that the way to them is paid for on both sides
OTHERS = ["raw_epoll", "raw_io_uring", "thread_per_connection", "libuv", "asio", "cluster"]


def compare(baseline, candidate, *arguments):
    """(the document, its metrics by workload and key)"""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run([TICKMARK, "compare", baseline, candidate, "--gate", "counted", "--json", "--quiet",
                               "--output", f"{folder}/bundle", *arguments], capture_output=True, text=True)
    if done.returncode not in (0, 1, 4):
        fail(done.stderr.strip())
    result = json.loads(done.stdout)
    return result, {(m["workload"], m["metric"]): m for m in result["metrics"]}


def told(metric):
    middle = lambda counts: sorted(counts)[len(counts) // 2] if counts else float("nan")  # noqa: E731
    ratio = f"{metric['ratio']:.4f}" if "ratio" in metric else "no ratio: " + metric["reason"]
    return f"{middle(metric['baseline']):.2f}, {middle(metric['candidate']):.2f}: {metric['verdict']}, {ratio}"


def judge_equal():
    result, metrics = compare("reference_loop", "reference_loop:slowdown=0i")
    good = verdict("the same program: verdict", "OK", result["verdict"], result["verdict"] == "OK")
    for (workload, key), metric in metrics.items():
        equal = f"{metric.get('ratio', 0):.3f}" == "1.000"
        good &= verdict(f"the same program: {workload} {key[:-12]}", "1.000", told(metric), equal)
    return good, metrics["sockets", "instructions_per_request"]["baseline"][0]


def judge_more(percent, expected, instructions):
    """So many per cent more, in whole pairs of instructions, as `slowdown` takes them."""
    more = 2 * round(percent / 100 * instructions / 2)
    result, metrics = compare(SLOWED.format(LEAST), SLOWED.format(LEAST + more), "--workload", "sockets")
    metric = metrics["sockets", "instructions_per_request"]
    seen = metric["candidate"][0] - metric["baseline"][0] if metric["valid"] else float("nan")
    good = result["verdict"] == expected and abs(seen - more) <= 1
    return verdict(f"{more} instructions more ({percent} %)", f"{expected}, {more} more",
                   f"{told(metric)}, {seen:.2f} more", good)


def judge_time():
    result, metrics = compare("reference_loop", "reference_loop:slowdown=2%", "--workload", "sockets")
    for (_, key), metric in metrics.items():
        remark(f"2 % of CPU time: {key}", told(metric))
    return verdict("2 % of CPU time: verdict", "not OK", result["verdict"], result["verdict"] != "OK")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--all", action="store_true", help="the other subjects, too (5 min more)")
    options = parser.parse_args()
    good, instructions = judge_equal()
    good &= judge_more(0.5, "OK", instructions)
    good &= judge_more(2, "REGRESSION", instructions)
    good &= judge_time()
    for subject in OTHERS if options.all else []:
        _, metrics = compare(subject, f"{subject}:binary={ROOT}/build/bin/subject_{subject}", "--workload", "sockets")
        for (_, key), metric in metrics.items():
            remark(f"{subject}: {key}", told(metric))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
