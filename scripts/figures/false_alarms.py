"""No rule fails a runtime that keeps it: 3,000 repetitions of each on six subjects, over five conditions.

    scripts/prove false_alarms --minutes 5     goes on for so long with what is missing most, then judges
    scripts/prove false_alarms --minutes 0     judges what has been gathered
    scripts/prove false_alarms --page          writes docs/false-alarms.md as well

What was seen stands in conformance/ledger/, sums of a subject in a file, written after each step and committed: go on
where others stopped. A rule whose file has changed since begins anew. Conditions are those of scripts/conditions.py.
"""
import argparse
import collections
import concurrent.futures
import contextlib
import datetime
import json
import os
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
MENDED = false_alarm_ledger.FOLDER / "mended.ndjson"  # written by hand: {rule, date, seen, cause}
STEP_S = 45  # a step is so long: what is lost when the command is interrupted
TURN_S = 300  # of a group, before the one furthest behind is asked for again


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


def step(ledger, condition, wanted, core):
    """One call of conform, on `core` if it is to be on one: (repetitions, seconds, what it said of each rule), or None
    with the reason printed."""
    rules, repeat = ledger.next_step(condition, wanted, STEP_S)
    command = [str(TICKMARK), "conform", ledger.subject, "--repeat", str(repeat), "--json"]
    for rule in rules:
        command += ["--rule", rule]
    begin = time.monotonic()
    code, out, err = conditions.run(command, condition, core)
    if code not in (0, 1):
        print(f"      {ledger.subject}, {condition}: {err.strip()}")
        return None
    return repeat, time.monotonic() - begin, json.loads(out)["rules"]


class Group:
    """Conditions that may be gathered at once: none of them is to be alone, and all together keep every core busy."""

    def __init__(self, every, at_once, wanted):
        self.every, self.at_once, self.wanted = every, at_once, wanted
        self.barred, self.running = set(), {}  # (subject, condition); {future: (subject, condition, core)}

    def behind(self):
        """(runs, subject, condition) of all that are not done; those furthest behind come first."""
        return sorted((ledger.least(c), s, c) for s, ledger in self.every.items() for c in self.at_once
                      if ledger.least(c) < self.wanted and (s, c) not in self.barred)

    def next(self):
        """(subject, condition) that may be started now, or None."""
        running = [(s, c) for s, c, _ in self.running.values()]
        count = collections.Counter(c for _, c in running)
        return next(((s, c) for _, s, c in self.behind()
                     if (s, c) not in running and count[c] < self.at_once[c]), None)

    def core(self, condition):
        """The core where the fewest of this condition are."""
        taken = collections.Counter(core for _, c, core in self.running.values() if c == condition)
        return min(sorted(os.sched_getaffinity(0)), key=lambda core: taken[core])

    def gather(self, end):
        around = conditions.spinners() if "busy" in self.at_once else contextlib.nullcontext()
        with around, concurrent.futures.ThreadPoolExecutor(sum(self.at_once.values())) as pool:
            while True:
                while time.monotonic() < end and (found := self.next()):
                    subject, condition = found
                    core = self.core(condition)
                    self.running[pool.submit(step, self.every[subject], condition, self.wanted, core)] = (
                        subject, condition, core)
                if not self.running:
                    return
                done, _ = concurrent.futures.wait(self.running, return_when=concurrent.futures.FIRST_COMPLETED)
                for future in done:
                    self.take(*self.running.pop(future)[:2], future.result())

    def take(self, subject, condition, done):
        if done is None:
            self.barred.add((subject, condition))
            return
        ledger = self.every[subject]
        ledger.take(condition, *done)
        ledger.write()
        print(f"      {subject:<16} {condition:<9} {done[0]:>4} repetitions in {done[1]:.0f} s, "
              f"{ledger.least(condition)} of {self.wanted}", flush=True)


def groups(every, names, wanted):
    """What may run at once, as {condition: so many subjects}: one that is stopped or has a fifth of a core leaves
    the rest of the machine to others, which disturbs it no more than it is meant to be."""
    cores = len(os.sched_getaffinity(0))
    together = {"pinned": cores, "jitter": cores, "quota": 2 * cores, "throttle": 2 * cores}
    for at_once in ({"idle": 1}, {"busy": cores}, together):
        if here := {name: count for name, count in at_once.items() if name in names}:
            yield Group(every, here, wanted)


def gather(every, names, wanted, minutes):
    """Turns of the group furthest behind, until the time is up or nothing is missing."""
    end = time.monotonic() + 60 * minutes
    every_group = list(groups(every, names, wanted))
    while time.monotonic() < end:
        waiting = [group for group in every_group if group.behind()]
        if not waiting:
            return
        min(waiting, key=lambda group: group.behind()[0]).gather(min(end, time.monotonic() + TURN_S))


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
             f"over {len(names)} conditions ({', '.join(names)}; `scripts/conditions.py` says what they are; idle and "
             "busy are gathered alone, the others beside one another).\n",
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
    lines += ["\n## Found so, and mended\n",
              "What the ledger once held against an innocent; the rule began anew after each.\n",
              "| rule | on | seen | why |", "|---|---|---|---|"]
    lines += [f"| {one['rule']} | {one['date']} | {one['seen']} | {one['cause']} |"
              for one in map(json.loads, MENDED.read_text().splitlines())]
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
    parser.add_argument("--page", action="store_true", help="write docs/false-alarms.md")
    options = parser.parse_args()
    names = list(conditions.names())
    chosen = options.conditions or names
    if set(chosen) - set(names):
        fail(f"there is no condition {', '.join(set(chosen) - set(names))} here; there are {', '.join(names)}", 2)
    every = ledgers(options.subjects)
    wanted = -(-options.total // len(names))
    gather(every, [n for n in names if n in chosen], wanted, options.minutes)
    good = judge(every, names, options.total)
    if options.page:
        page(every, names, options.total)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
