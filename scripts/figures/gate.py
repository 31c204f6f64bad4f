"""The gate on real comparisons: the same binary under two names, and slowdowns of 2, 5, 10, 20 % that were put in.

    scripts/prove gate --minutes 30     goes on for so long with what is missing most, then judges
    scripts/prove gate --minutes 0      judges what has been gathered

What was seen stands in tickmark-results/gate-ledger.ndjson, a line per comparison. At most 4 of 200 comparisons of the
same binary may be called a regression (2 % of fewer); slowdowns of 10 and 20 % must be found 4 times in 5.
"""
import argparse
import datetime
import json
import pathlib
import platform
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
import gate_ledger  # noqa: E402
from common import TICKMARK, fail, remark, verdict  # noqa: E402

WANTED = {0: 200, 2: 20, 5: 20, 10: 20, 20: 20}  # comparisons by slowdown
MUST_FIND = (10, 20)
ALARMS_SHARE = 4 / 200
KEPT = ("metric", "verdict", "slowdown", "slowdown_low", "slowdown_high", "spread", "detectable_slowdown",
        "p_slower_holm", "p_margin", "baseline_median", "confirmation")


def compare(percent):
    """One comparison; its line of the ledger."""
    started = time.monotonic()
    done = subprocess.run([TICKMARK, "compare", "reference_loop", f"reference_loop:slowdown={percent}%", "--json",
                           "--quiet", "--output", str(gate_ledger.LEDGER.parent / f"gate-{time.time_ns()}")],
                          capture_output=True, text=True)
    if done.returncode not in (0, 1, 4):
        fail(f"the comparison failed ({done.returncode}): {done.stderr}")
    result = json.loads(done.stdout)
    plan = json.loads((pathlib.Path(result["bundle"]) / "plan.json").read_text())
    cell = plan["cells"][0]
    return {
        "utc": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "slowdown_percent": percent, "verdict": result["verdict"], "reason": result["reason"],
        "metrics": [{key: metric[key] for key in KEPT if key in metric} for metric in result["metrics"]],
        "blocks": result["blocks"], "void_blocks": result["void_blocks"],
        "seconds": round(time.monotonic() - started, 1), "seed": plan["seed"],
        "machine": f"{platform.machine()}, {platform.system()} {platform.release()}",
        "settings": {"rules": {key: value for key, value in result["rules"].items()
                               if key not in ("baseline", "candidate")},
                     "cell": cell["id"], "warmup_ns": cell["warmup_ns"], "duration_ns": cell["duration_ns"]},
    }


def missing_most(rows):
    return min(WANTED, key=lambda percent: len(gate_ledger.of_slowdown(rows, percent)) / WANTED[percent])


def gather(minutes):
    until = time.monotonic() + 60 * minutes
    while time.monotonic() < until:
        row = compare(missing_most(gate_ledger.read()))
        gate_ledger.append(row)
        cpu = row["metrics"][0]
        print(f"{row['utc']}  {row['slowdown_percent']:>2} %  {row['verdict']:<12} {cpu.get('slowdown', 0):+.1%}  "
              f"{sum(row['blocks'])} blocks, {row['seconds']:.0f} s", flush=True)


def judge(rows):
    good = True
    for percent in sorted(WANTED):
        of = gate_ledger.of_slowdown(rows, percent)
        if not of:
            continue
        seen = gate_ledger.sums(of)
        low, high = gate_ledger.clopper_pearson(seen["regressions"], seen["n"])
        told = f"{seen['regressions']} of {seen['n']} (95 %: {low:.1%} to {high:.1%})"
        if percent == 0:
            allowed = int(ALARMS_SHARE * max(seen["n"], 50))
            good &= verdict("the same binary: REGRESSION", f"at most {allowed}", told, seen["regressions"] <= allowed)
        elif percent in MUST_FIND:
            good &= verdict(f"{percent} % slower: REGRESSION", "4 of 5", told, seen["regressions"] >= 0.8 * seen["n"])
        else:
            remark(f"{percent} % slower: REGRESSION", told)
        remark(f"{percent} %: mean estimate, intervals that hold it",
               f"{seen['estimate']:+.1%}, {seen['covering']} of {seen['n']}; {seen['blocks']:.0f} blocks, "
               f"spread {seen['spread']:.1%}, {seen['seconds']:.0f} s")
    return good


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=30)
    options = parser.parse_args()
    gather(options.minutes)
    rows = gate_ledger.read()
    if not rows:
        fail("nothing has been gathered; give --minutes")
    return 0 if judge(rows) else 1


if __name__ == "__main__":
    sys.exit(main())
