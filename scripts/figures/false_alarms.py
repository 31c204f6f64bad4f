"""No rule fails a runtime that keeps it: 3,000 repetitions of each on six subjects, over five conditions.

    scripts/prove false_alarms --minutes 5     goes on for so long with what is missing most, then judges
    scripts/prove false_alarms --minutes 0     judges what has been gathered
    scripts/prove false_alarms --page          writes docs/false-alarms.md as well

What was seen stands in conformance/ledger/, sums of a subject in a file, written after each step and committed: go on
where others stopped. A rule whose file has changed since begins anew. Conditions are those of scripts/conditions.py.
"""
import argparse
import concurrent.futures
import contextlib
import datetime
import json
import pathlib
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
import conditions  # noqa: E402
import false_alarm_ledger  # noqa: E402
from common import ROOT, TICKMARK, fail, remark, verdict  # noqa: E402

SUBJECTS = ("node@18", "node@20", "node@22", "node@24", "libuv", "reference_loop")
PAGE = ROOT / "docs" / "false-alarms.md"
STEP_S = 45  # a step is so long: what is lost when the command is interrupted


def ledgers(subjects):
    """{subject: its ledger}"""
    done = subprocess.run([TICKMARK, "list", "subjects", "--json"], capture_output=True, text=True)
    known = {one["name"]: one["versions"] for one in json.loads(done.stdout)["subjects"]}
    rules, found = false_alarm_ledger.digests(), {}
    for subject in subjects:
        here = known.get(subject, {})
        version = here.get(subject.split("@")[0], here.get("refloop", here.get("uv", "")))
        found[subject] = false_alarm_ledger.SubjectLedger(subject, version, rules)
        if found[subject].told:
            remark(subject, found[subject].told)
    return found


def step(ledger, condition, wanted):
    """One call of conform: (repetitions, seconds, what it said of each rule), or None with the reason printed."""
    rules, repeat = ledger.next_step(condition, wanted, STEP_S)
    command = [str(TICKMARK), "conform", ledger.subject, "--repeat", str(repeat), "--json"]
    for rule in rules:
        command += ["--rule", rule]
    begin = time.monotonic()
    code, out, err = conditions.run(command, condition)
    if code not in (0, 1):
        print(f"      {ledger.subject}, {condition}: {err.strip()}")
        return None
    return repeat, time.monotonic() - begin, json.loads(out)["rules"]


def gather(every, names, wanted, minutes, jobs):
    """Steps until the time is up or nothing is missing; those furthest behind come first."""
    end = time.monotonic() + 60 * minutes
    barred = set()
    while time.monotonic() < end:
        behind = sorted((every[s].least(c), names.index(c), s) for c in names for s in every
                        if every[s].least(c) < wanted and (s, c) not in barred)
        if not behind:
            return
        condition = names[behind[0][1]]
        at_once = 1 if condition == "idle" else jobs
        chosen = [s for _, c, s in behind if names[c] == condition][:at_once]
        around = conditions.spinners() if condition == "busy" else contextlib.nullcontext()
        with around, concurrent.futures.ThreadPoolExecutor(at_once) as pool:
            for subject, done in zip(chosen, pool.map(lambda s: step(every[s], condition, wanted), chosen)):
                if done is None:
                    barred.add((subject, condition))
                    continue
                every[subject].take(condition, *done)
                every[subject].write()
                print(f"      {subject:<16} {condition:<9} {done[0]:>4} repetitions in {done[1]:.0f} s, "
                      f"{every[subject].least(condition)} of {wanted}", flush=True)


def bound(runs):
    """Upper end of the one-sided 95 % interval of a rate of which none was seen in `runs`."""
    return 1 - 0.05 ** (1 / runs) if runs else 1


def judge(every, names, total):
    good = True
    for subject, ledger in every.items():
        least, runs, applicable, failed = ledger.total(names)
        seen = f"{failed} of {runs:,} runs ({applicable:,} judged)"
        if least >= total:
            good &= verdict(f"{subject}, at least {total} runs of each rule", "0 failing", seen, not ledger.unknown())
        else:
            good &= not ledger.unknown()
            remark(f"{subject}, {least} of {total} runs of each rule so far", seen)
        for one in ledger.unknown():
            print(f"      {one['verdict']}: {one['rule']}, {one['condition']}: {one['reason']}")
    return good


def page(every, names, total):
    lines = ["# False alarms: does a rule ever fail a runtime that keeps it?\n",
             f"Gathered by `scripts/prove false_alarms` until {datetime.date.today()}: every must and should rule "
             f"whose versions and interface include the subject, {total:,} runs of each planned per subject, "
             f"spread evenly "
             f"over {len(names)} conditions ({', '.join(names)}; `scripts/conditions.py` says what they are).\n",
             "| subject | version | since | rules | runs of the rule with fewest | runs | judged | failures | rate of "
             "false alarms per run, 95 % |", "|---|---|---|---|---|---|---|---|---|"]
    for subject, ledger in every.items():
        least, runs, applicable, failed = ledger.total(names)
        rate = f"< {100 * bound(least):.2g} % of each rule" if least and not failed else "see below" if failed else "-"
        lines.append(f"| {subject} | {ledger.version} | {ledger.first} | {len(ledger.asked())} | {least:,} | {runs:,} "
                     f"| {applicable:,} | {failed} | {rate} |")
    lines += ["\n| subject | " + " | ".join(f"{name}: runs, judged" for name in names) + " |",
              "|---|" + "---|" * len(names)]
    for subject, ledger in every.items():
        cells = []
        for name in names:
            _, runs, applicable, _ = ledger.total([name])
            cells.append(f"{runs:,}, {100 * applicable / runs:.0f} %" if runs else "none yet")
        lines.append(f"| {subject} | " + " | ".join(cells) + " |")
    lines.append("\nWhere none of n runs failed, the rate is below 1 - 0.05^(1/n) with 95 % confidence: 0 of 3,000 is "
                 "below 0.1 %. A run in which a rule's guard does not hold is inapplicable, and cannot fail.")
    for subject, ledger in every.items():
        for one in ledger.failures:
            note = f"known: {one['known']}" if one["known"] else "a finding, or a false alarm"
            lines += [f"\n## {one['verdict']}: {one['rule']} on {subject}, {one['condition']} ({note})\n",
                      "```", one["reason"], *one["excerpt"], "```"]
    PAGE.write_text("\n".join(lines) + "\n")
    print(f"      {PAGE.relative_to(ROOT)} is written")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=5, help="so long at most, and a step (default 5)")
    parser.add_argument("--total", type=int, default=3000, help="runs of each rule and subject (default 3000)")
    parser.add_argument("--subjects", nargs="+", default=list(SUBJECTS))
    parser.add_argument("--conditions", nargs="+", help="only these, of " + ", ".join(conditions.NAMES))
    parser.add_argument("--jobs", type=int, default=2, help="subjects at once where the condition allows (default 2)")
    parser.add_argument("--page", action="store_true", help="write docs/false-alarms.md")
    options = parser.parse_args()
    names = list(conditions.names())
    chosen = options.conditions or names
    if set(chosen) - set(names):
        fail(f"there is no condition {', '.join(set(chosen) - set(names))} here; there are {', '.join(names)}", 2)
    every = ledgers(options.subjects)
    wanted = -(-options.total // len(names))
    gather(every, [n for n in names if n in chosen], wanted, options.minutes, options.jobs)
    good = judge(every, names, options.total)
    if options.page:
        page(every, names, options.total)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
