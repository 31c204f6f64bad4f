"""How often a rule was run on a subject that keeps it, and how often it failed it: committed sums, a file a subject.

3,000 runs of every rule on six subjects take many hours, so what was seen is kept from one sitting to the next: in
conformance/ledger/<subject>.json a line per rule. A rule whose file has changed begins anew, and everything does on a
subject of another version.
"""
import collections
import datetime
import hashlib
import json
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parent.parent
RULES = ROOT / "conformance" / "rules"
FOLDER = ROOT / "conformance" / "ledger"
BAD = ("fail", "hang", "crash")


def digests(root=RULES):
    """{rule: digest of its file} of the rules a player can be failed by: not profiles, not those of the wire, not
    those that judge a background program."""
    found = {}
    for path in sorted(root.rglob("*.yaml")):
        text = path.read_text()
        if re.search(r"^level: (must|should)", text, re.M) and not re.search(r"^(layer: wire|builtin:)", text, re.M):
            found[str(path.relative_to(root))[:-5]] = hashlib.sha256(text.encode()).hexdigest()[:12]
    return found


class SubjectLedger:
    """The sums of one subject: per rule and condition [runs, runs that could be judged, failures]."""

    def __init__(self, subject, version, rules, folder=FOLDER):
        self.path = folder / f"{subject.replace('@', '-')}.json"
        self.subject, self.version, self.rules = subject, version, rules  # version "": it is not here
        self.sums = collections.defaultdict(lambda: [0, 0, 0])  # (rule, condition)
        self.outside = set()  # rules it is not asked: not of its version or interface, or known to fail
        self.failures = []
        self.pace = {}  # condition: seconds of one repetition of all rules
        self.first = self.last = ""
        self.told = ""  # why it began anew, if it did
        if self.path.exists():
            self.read(json.loads(self.path.read_text()))

    def read(self, seen):
        if self.version and seen["version"] != self.version:
            self.told = f"{self.subject} was {seen['version']}, and is {self.version}: it begins anew"
            return
        self.version = seen["version"]
        self.first, self.last, self.pace = seen["first"], seen["last"], seen["pace"]
        for rule, (digest, sums) in seen["rules"].items():
            if self.rules.get(rule) != digest:
                continue
            if sums == "outside":
                self.outside.add(rule)
                continue
            for condition, counts in sums.items():
                self.sums[(rule, condition)] = counts
        self.failures = [one for one in seen["failures"] if self.rules.get(one["rule"]) == one["digest"]]

    def take(self, condition, repeat, seconds, rules):
        """One call of conform: `rules` is the list in its JSON."""
        if len(rules) >= len(self.rules) / 2:  # a few that had begun anew tell nothing of the others' pace
            self.pace[condition] = round(seconds / repeat, 3)
        self.last = str(datetime.date.today())
        self.first = self.first or self.last
        for seen in rules:
            rule, verdict = seen["rule"], seen["verdict"]
            if rule not in self.rules:
                continue
            if verdict in ("inapplicable", "unsupported"):
                self.outside.add(rule)
                continue
            failed = max(seen["failed"], 1) if verdict in BAD else 0
            counts = self.sums[(rule, condition)]
            for i, count in enumerate((seen["runs"], seen["applicable"], failed)):
                counts[i] += count
            if failed:
                self.fail(condition, seen)

    def fail(self, condition, seen):
        known = seen.get("known", "")
        if known:  # the subject does not keep it, and one that crashes is run once a call
            self.outside.add(seen["rule"])
        self.failures.append({"rule": seen["rule"], "digest": self.rules[seen["rule"]], "condition": condition,
                              "verdict": seen["verdict"], "reason": seen["reason"], "known": known,
                              "excerpt": seen.get("excerpt", []), "date": self.last})

    def write(self):
        """All at once or not at all; a line per rule, so that a change reads as one."""
        rules = {}
        for rule in sorted(self.rules):
            sums = {c: counts for (r, c), counts in sorted(self.sums.items()) if r == rule and counts[0]}
            if rule in self.outside or sums:
                rules[rule] = [self.rules[rule], "outside" if rule in self.outside else sums]
        head = {"subject": self.subject, "version": self.version, "first": self.first, "last": self.last,
                "pace": self.pace, "failures": self.failures}
        lines = [f"{json.dumps(key)}: {json.dumps(value)}" for key, value in head.items()]
        lines.append('"rules": {\n' + ",\n".join(f"{json.dumps(rule)}: {json.dumps(value)}"
                                                 for rule, value in rules.items()) + "\n}")
        self.path.parent.mkdir(parents=True, exist_ok=True)
        new = self.path.with_suffix(".new")
        new.write_text("{\n" + ",\n".join(lines) + "\n}\n")
        new.replace(self.path)

    def asked(self):
        return [rule for rule in self.rules if rule not in self.outside]

    def runs(self, rule, condition):
        return self.sums[(rule, condition)][0]

    def least(self, condition):
        return min((self.runs(rule, condition) for rule in self.asked()), default=0)

    def next_step(self, condition, wanted, step_s, first=5):
        """(rules, repetitions) of what comes next: the few that have begun anew until they are where the others are,
        else as many of all that are not done as fit into a step."""
        runs = {rule: self.runs(rule, condition) for rule in self.asked()}
        levels = sorted({*runs.values(), wanted})
        behind = [rule for rule, count in runs.items() if count == levels[0]]
        if len(levels) > 1 and len(behind) < len(runs) / 2:
            return behind, min(levels[1], wanted) - levels[0]
        missing = [rule for rule, count in runs.items() if count < wanted]
        if condition not in self.pace:
            return missing, first
        return missing, max(1, min(int(step_s / self.pace[condition]), wanted - levels[0]))

    def total(self, names):
        """(runs of the rule with fewest, runs, judged, failed) over these conditions."""
        per_rule = {rule: sum(self.runs(rule, name) for name in names) for rule in self.asked()}
        sums = [sum(self.sums[(rule, name)][i] for rule in self.asked() for name in names) for i in range(3)]
        return (min(per_rule.values(), default=0), *sums)

    def unknown(self):
        return [one for one in self.failures if not one["known"]]
