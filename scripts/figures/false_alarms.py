"""No rule fails a runtime that keeps it: 3,000 repetitions of each on six subjects, over five conditions.

    scripts/prove false_alarms --minutes 5     goes on for so long with what is missing most, then judges
    scripts/prove false_alarms --minutes 0     judges what has been gathered
    scripts/prove false_alarms --page          writes docs/false-alarms.md as well

What was seen stands in tickmark-results/false-alarms.ndjson, a line per step, subject and rule; a rule whose file has
changed since begins anew. Conditions are those of scripts/conditions.py.
"""
import argparse
import collections
import concurrent.futures
import contextlib
import datetime
import hashlib
import json
import pathlib
import re
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
import conditions  # noqa: E402
from common import ROOT, TICKMARK, fail, remark, verdict  # noqa: E402

SUBJECTS = ("node@18", "node@20", "node@22", "node@24", "libuv", "reference_loop")
LEDGER = ROOT / "tickmark-results" / "false-alarms.ndjson"
PAGE = ROOT / "docs" / "false-alarms.md"
STEP_S = 45  # a step is so long: what is lost when the command is interrupted
BAD = ("fail", "hang", "crash")


def digests():
    """{rule: digest of its file} of the rules a player can be failed by: not profiles, not those of the wire, not
    those that judge a background program."""
    root = ROOT / "conformance" / "rules"
    return {str(path.relative_to(root))[:-5]: hashlib.sha256(path.read_bytes()).hexdigest()[:12]
            for path in sorted(root.rglob("*.yaml"))
            if re.search(r"^level: (must|should)", path.read_text(), re.M)
            and not re.search(r"^(layer: wire|builtin:)", path.read_text(), re.M)}


class Ledger:
    """Sums of what was seen of the rules as they are now."""

    def __init__(self, rules):
        self.rules = rules
        self.sums = collections.defaultdict(lambda: [0, 0, 0])  # (subject, condition, rule): runs, applicable, failed
        self.pace = {}  # (subject, condition): seconds for one repetition of all rules
        self.failures = []
        self.outside = collections.defaultdict(set)  # subject: rules it is not asked
        if LEDGER.exists():
            for line in LEDGER.read_text().splitlines():
                with contextlib.suppress(ValueError):  # an interrupted command leaves half a line
                    self.take(json.loads(line))

    def take(self, step):
        where = (step["subject"], step["condition"])
        self.pace[where] = step["seconds"] / step["repeat"]
        for rule, (digest, kind, *counts) in step["rules"].items():
            if self.rules.get(rule) != digest:
                continue
            if kind in ("inapplicable", "unsupported"):
                self.outside[step["subject"]].add(rule)
                continue
            total = self.sums[(*where, rule)]
            for i, count in enumerate(counts):
                total[i] += count
        for failure in step["failures"]:
            if self.rules.get(failure["rule"]) != failure["digest"]:
                continue
            self.failures.append(failure)
            if failure["known"]:  # the subject does not keep it, and one that crashes is run once a step
                self.outside[step["subject"]].add(failure["rule"])

    def append(self, step):
        LEDGER.parent.mkdir(parents=True, exist_ok=True)
        interrupted = LEDGER.exists() and not LEDGER.read_bytes().endswith(b"\n")
        with LEDGER.open("a") as file:
            file.write("\n" * interrupted + json.dumps(step) + "\n")
        self.take(step)

    def asked(self, subject):
        return [rule for rule in self.rules if rule not in self.outside[subject]]

    def runs(self, subject, condition, rule):
        return self.sums[(subject, condition, rule)][0]

    def least(self, subject, condition):
        return min((self.runs(subject, condition, rule) for rule in self.asked(subject)), default=0)


def step(ledger, subject, condition, wanted):
    """One call of conform; what goes into the ledger, or None with the reason printed."""
    missing = [rule for rule in ledger.asked(subject) if ledger.runs(subject, condition, rule) < wanted]
    repeat = 5
    if (subject, condition) in ledger.pace:
        repeat = max(1, min(int(STEP_S / ledger.pace[(subject, condition)]),
                            wanted - ledger.least(subject, condition)))
    command = [str(TICKMARK), "conform", subject, "--repeat", str(repeat), "--json"]
    for rule in missing:
        command += ["--rule", rule]
    begin = time.monotonic()
    code, out, err = conditions.run(command, condition)
    if code not in (0, 1):
        print(f"      {subject}, {condition}: {err.strip()}")
        return None
    rules, failures = {}, []
    for seen in json.loads(out)["rules"]:
        if seen["rule"] not in ledger.rules:
            continue
        digest = ledger.rules[seen["rule"]]
        failed = max(seen["failed"], 1) if seen["verdict"] in BAD else 0
        rules[seen["rule"]] = [digest, seen["verdict"], seen["runs"], seen["applicable"], failed]
        if failed:
            failures.append({"rule": seen["rule"], "digest": digest, "subject": subject, "condition": condition,
                             "verdict": seen["verdict"], "reason": seen["reason"], "known": seen.get("known", ""),
                             "excerpt": seen.get("excerpt", [])})
    return {"at": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"), "subject": subject,
            "condition": condition, "repeat": repeat, "seconds": round(time.monotonic() - begin, 2), "rules": rules,
            "failures": failures}


def gather(ledger, subjects, names, wanted, minutes, jobs):
    """Steps until the time is up or nothing is missing; those furthest behind come first."""
    end, idle_jobs = time.monotonic() + 60 * minutes, 1
    barred = set()
    while time.monotonic() < end:
        behind = sorted((ledger.least(s, c), names.index(c), s) for c in names for s in subjects
                        if ledger.least(s, c) < wanted and (s, c) not in barred)
        if not behind:
            return
        condition = names[behind[0][1]]
        at_once = idle_jobs if condition == "idle" else jobs
        chosen = [s for _, c, s in behind if names[c] == condition][:at_once]
        around = conditions.spinners() if condition == "busy" else contextlib.nullcontext()
        with around, concurrent.futures.ThreadPoolExecutor(at_once) as pool:
            for subject, done in zip(chosen, pool.map(lambda s: step(ledger, s, condition, wanted), chosen)):
                if done is None:
                    barred.add((subject, condition))
                    continue
                ledger.append(done)
                print(f"      {subject:<16} {condition:<9} {done['repeat']:>4} repetitions in {done['seconds']:.0f} s, "
                      f"{ledger.least(subject, condition)} of {wanted}", flush=True)


def bound(runs):
    """Upper end of the one-sided 95 % interval of a rate of which none was seen in `runs`."""
    return 1 - 0.05 ** (1 / runs) if runs else 1


def totals(ledger, subject, names):
    """(least runs of a rule over all conditions, runs, applicable, failed) of a subject."""
    per_rule = collections.Counter()
    sums = [0, 0, 0]
    for rule in ledger.asked(subject):
        for condition in names:
            counts = ledger.sums[(subject, condition, rule)]
            per_rule[rule] += counts[0]
            sums = [a + b for a, b in zip(sums, counts)]
    return (min(per_rule.values(), default=0), *sums)


def judge(ledger, subjects, names, total):
    good = True
    for subject in subjects:
        least, runs, applicable, failed = totals(ledger, subject, names)
        unknown = [f for f in ledger.failures if f["subject"] == subject and not f["known"]]
        enough = least >= total
        seen = f"{failed} of {runs:,} runs ({applicable:,} judged)"
        if enough:
            good &= verdict(f"{subject}, at least {total} runs of each rule", "0 failing", seen, not unknown)
        else:
            good &= not unknown
            remark(f"{subject}, {least} of {total} runs of each rule so far", seen)
        for one in unknown:
            print(f"      {one['verdict']}: {one['rule']}, {one['condition']}: {one['reason']}")
    return good


def versions():
    done = subprocess.run([TICKMARK, "list", "subjects", "--json"], capture_output=True, text=True)
    return {s["name"]: s["versions"] for s in json.loads(done.stdout)["subjects"]}


def page(ledger, subjects, names, total):
    known = versions()
    lines = ["# False alarms: does a rule ever fail a runtime that keeps it?\n",
             f"Gathered by `scripts/prove false_alarms` until {datetime.date.today()}: every must and should rule "
             f"whose versions and interface include the subject, {total:,} runs of each planned per subject, "
             f"spread evenly "
             f"over {len(names)} conditions ({', '.join(names)}; `scripts/conditions.py` says what they are).\n",
             "| subject | version | rules | runs of the rule with fewest | runs | judged | failures | rate of false "
             "alarms per run, 95 % |", "|---|---|---|---|---|---|---|---|"]
    for subject in subjects:
        least, runs, applicable, failed = totals(ledger, subject, names)
        here = known.get(subject, {})
        version = here.get(subject.split("@")[0], here.get("uv", ""))
        rate = f"< {100 * bound(least):.2g} % of each rule" if not failed else "see below"
        lines.append(f"| {subject} | {version} | {len(ledger.asked(subject))} | {least:,} | {runs:,} | {applicable:,} "
                     f"| {failed} | {rate} |")
    lines += ["\n| subject | " + " | ".join(f"{name}: runs, judged" for name in names) + " |",
              "|---|" + "---|" * len(names)]
    for subject in subjects:
        cells = []
        for name in names:
            counts = [ledger.sums[(subject, name, rule)] for rule in ledger.asked(subject)]
            runs, applicable = sum(c[0] for c in counts), sum(c[1] for c in counts)
            cells.append(f"{runs:,}, {100 * applicable / runs:.0f} %" if runs else "none yet")
        lines.append(f"| {subject} | " + " | ".join(cells) + " |")
    lines.append("\nWhere none of n runs failed, the rate is below 1 - 0.05^(1/n) with 95 % confidence: 0 of 3,000 is "
                 "below 0.1 %. A run in which a rule's guard does not hold is inapplicable, and cannot fail.")
    for one in ledger.failures:
        note = f"known: {one['known']}" if one["known"] else "a finding, or a false alarm"
        lines += [f"\n## {one['verdict']}: {one['rule']} on {one['subject']}, {one['condition']} ({note})\n",
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
    ledger = Ledger(digests())
    wanted = -(-options.total // len(names))
    gather(ledger, options.subjects, [n for n in names if n in chosen], wanted, options.minutes, options.jobs)
    good = judge(ledger, options.subjects, names, options.total)
    if options.page:
        page(ledger, options.subjects, names, options.total)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
