"""One process for many scenarios says what a process for each run says, and the whole catalogue takes under a minute.

On a runtime that keeps the rules, and on one that breaks some, so that there is something to fail; then the time for
20 repetitions of every rule. A rule that fails in some of its runs only is compared with nothing: chance decides it.

Where the two once differed is Node 10 judged by the rules of Node 24 (--as): an immediate that failed leaves its
process broken for the next scenario, so that rule has a process of its own, and a stream that never closes is waited
for only once, so the player says that it plays that scenario no more.
"""
import argparse
import json
import pathlib
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from common import TICKMARK, remark, verdict  # noqa: E402

LIMIT_S = 60
REPEAT = 20


def conform(subject, repeat, *more):
    """({rule: verdict}, seconds)"""
    begin = time.monotonic()
    done = subprocess.run([TICKMARK, "conform", *subject.split(), "--repeat", str(repeat), "--json", *more],
                          capture_output=True, text=True)
    taken = time.monotonic() - begin
    return {one["rule"]: one for one in json.loads(done.stdout)["rules"]} if done.stdout else {}, taken


def differ(one, other):
    by_chance = any(0 < seen["failed"] < seen["applicable"] for seen in (one, other))
    return one["verdict"] != other["verdict"] and not by_chance


def same_verdicts(subject, repeat):
    """The wire aside: its client plays against one server in any case."""
    rules = [rule for rule, one in conform(subject, 1)[0].items() if one["layer"] != "wire"]
    named = [word for rule in rules for word in ("--rule", rule)]
    together, quick = conform(subject, repeat, *named)
    apart, slow = conform(subject, repeat, "--apart", *named)
    differing = [rule for rule in rules if differ(together[rule], apart[rule])]
    failing = sum(one["verdict"] == "fail" for one in together.values())
    remark(f"{subject}: seconds for {repeat} runs of each", f"{quick:.1f} together, {slow:.1f} apart")
    good = verdict(f"{subject}: verdicts, {failing} of them failures", f"{len(rules)} the same",
                   f"{len(rules) - len(differing)}", bool(rules) and not differing)
    for rule in differing:
        print(f"      {rule}: {together[rule]['verdict']} together ({together[rule]['reason']}), "
              f"{apart[rule]['verdict']} apart ({apart[rule]['reason']})")
    return good


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("subjects", nargs="*", default=["node@24", "bun"],
                        help="a subject and its flags are one argument")
    parser.add_argument("--repeat", type=int, default=5, help="of each rule, where verdicts are compared")
    options = parser.parse_args()
    good = True
    for subject in options.subjects:
        good &= same_verdicts(subject, options.repeat)
    rules, taken = conform(options.subjects[0], REPEAT)
    good &= verdict(f"{options.subjects[0]}: seconds for {len(rules)} rules, {REPEAT} runs", f"less than {LIMIT_S}",
                    f"{taken:.1f}", bool(rules) and taken < LIMIT_S)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
