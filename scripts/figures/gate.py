"""The gate on real comparisons: the same binary under two names, and slowdowns of 2, 5, 10, 20 % that were put in.

    scripts/prove gate --minutes 30               goes on for so long with what is missing most, then judges
    scripts/prove gate --minutes 30 --spinners    the same with a spinner on every core
    scripts/prove gate --minutes 0                judges what has been gathered

What was seen stands in docs/power.ndjson, a line per comparison; `scripts/prove power --page` makes a page of it. At
most 4 of 200 comparisons of the same binary may be called a regression (2 % of fewer); slowdowns of 10 and 20 %, and
with spinners one of 5 %, must be found 4 times in 5, that one within the first 20 blocks.
"""
import argparse
import contextlib
import datetime
import hashlib
import json
import pathlib
import platform
import shutil
import statistics
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
import conditions  # noqa: E402
import gate_ledger  # noqa: E402
from common import ROOT, TICKMARK, fail, remark, verdict  # noqa: E402

WANTED = {0: 200, 2: 20, 5: 20, 10: 20, 20: 20}  # comparisons by slowdown
WANTED_SPUN = {0: 40, 5: 20}
MUST_FIND = (10, 20)
ALARMS_SHARE = 4 / 200
KEPT = ("metric", "verdict", "slowdown", "slowdown_low", "slowdown_high", "slowdown_plain", "spread", "spread_plain",
        "covariate_slope", "p_slower_holm", "p_margin")


def settings_of(result, cell):
    """A digest of everything that makes another gate."""
    rules = {key: value for key, value in result["rules"].items() if key not in ("baseline", "candidate")}
    return hashlib.sha256(json.dumps([rules, cell["id"], cell["warmup_ns"], cell["duration_ns"]],
                                     sort_keys=True).encode()).hexdigest()[:12]


def rounded(value):
    return float(f"{value:.4g}") if isinstance(value, float) else value


def compare(percent, spun):
    """One comparison; its line of the ledger. Its bundle is removed."""
    started = time.monotonic()
    folder = ROOT / "tickmark-results" / f"gate-{time.time_ns()}"
    done = subprocess.run([TICKMARK, "compare", "reference_loop", f"reference_loop:slowdown={percent}%", "--json",
                           "--quiet", "--output", str(folder)], capture_output=True, text=True)
    if done.returncode not in (0, 1, 4):
        fail(f"the comparison failed ({done.returncode}): {done.stderr}")
    result = json.loads(done.stdout)
    plan = json.loads((folder / "plan.json").read_text())
    trials = [json.loads(line) for line in (folder / "trials.ndjson").read_text().splitlines()]
    shutil.rmtree(folder)
    alarms = [look["blocks"] for look in result["looks"] if look["stage"] == 0 and look["verdict"] == "REGRESSION"]
    return {
        "utc": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "slowdown_percent": percent, "spinners": spun,
        "foreign_cpu_share": rounded(statistics.mean(t["environment"]["foreign_cpu_share"] for t in trials)),
        "verdict": result["verdict"], "reason": result["reason"], "first_alarm_blocks": alarms[0] if alarms else 0,
        "metrics": [{key: rounded(metric[key]) for key in KEPT if key in metric} for metric in result["metrics"]],
        "blocks": result["blocks"], "void_blocks": result["void_blocks"],
        "seconds": round(time.monotonic() - started, 1), "seed": plan["seed"],
        "machine": f"{platform.machine()}, {platform.system()} {platform.release()}",
        "settings": settings_of(result, plan["cells"][0]),
    }


def missing_most(rows, spun):
    wanted = WANTED_SPUN if spun else WANTED
    here = [row for row in rows if gate_ledger.spun(row) == spun]
    return min(wanted, key=lambda percent: len(gate_ledger.of_slowdown(here, percent)) / wanted[percent])


def gather(minutes, spun):
    until = time.monotonic() + 60 * minutes
    while time.monotonic() < until:
        with conditions.spinners() if spun else contextlib.nullcontext():
            row = compare(missing_most(gate_ledger.read(), spun), spun)
        gate_ledger.append(row)
        cpu = row["metrics"][0]
        print(f"{row['utc']}  {row['slowdown_percent']:>2} %  {row['verdict']:<12} {cpu.get('slowdown', 0):+.1%}  "
              f"{sum(row['blocks'])} blocks, {row['seconds']:.0f} s", flush=True)


def judge_kind(rows, spun):
    """Of the comparisons with spinners, or of the others."""
    good, beside = True, " beside spinners" if spun else ""
    for percent in sorted({row["slowdown_percent"] for row in rows}):
        of = gate_ledger.of_slowdown(rows, percent)
        seen = gate_ledger.sums(of)
        low, high = gate_ledger.clopper_pearson(seen["regressions"], seen["n"])
        told = f"{seen['regressions']} of {seen['n']} (95 %: {low:.1%} to {high:.1%})"
        if percent == 0:
            allowed = int(ALARMS_SHARE * max(seen["n"], 50))
            good &= verdict(f"the same binary{beside}: REGRESSION", f"at most {allowed}", told,
                            seen["regressions"] <= allowed)
        elif percent in MUST_FIND:
            good &= verdict(f"{percent} % slower: REGRESSION", "4 of 5", told, seen["regressions"] >= 0.8 * seen["n"])
        else:
            remark(f"{percent} % slower{beside}: REGRESSION", told)
        if percent == 5 and spun:
            good &= verdict("5 % slower beside spinners: seen by 20 blocks", "4 of 5",
                            f"{seen['by_20_blocks']} of {seen['n']}", seen["by_20_blocks"] >= 0.8 * seen["n"])
        remark(f"{percent} %{beside}: mean estimate, intervals that hold it",
               f"{seen['estimate']:+.1%}, {seen['covering']} of {seen['n']}; {seen['blocks']:.0f} blocks, "
               f"spread {seen['spread']:.1%} ({seen['spread_plain']:.1%} with run-queue wait), {seen['seconds']:.0f} s")
    return good


def judge(rows):
    kinds = [[row for row in rows if gate_ledger.spun(row) == spun] for spun in (False, True)]
    return all([judge_kind(kind, spun) for kind, spun in zip(kinds, (False, True)) if kind])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--spinners", action="store_true", help="with a spinner on every core")
    options = parser.parse_args()
    gather(options.minutes, options.spinners)
    rows = gate_ledger.read()
    if not rows:
        fail("nothing has been gathered; give --minutes")
    return 0 if judge(rows) else 1


if __name__ == "__main__":
    sys.exit(main())
