"""Every rule on every runtime that is here, version by version and mode by mode.

One job is a subject in a mode, or what a client sees of it on the wire. What was judged is kept in
tickmark-results/conformance-matrix/, rule by rule, and is taken from there as long as the rule's file, the number of
repetitions, the subject's versions and known deviations, and the players are the same: an interrupted matrix goes on
where it was, and a changed rule is the only one that is judged again. The pages are written when every job has been
judged.
"""
import argparse
import concurrent.futures
import datetime
import hashlib
import json
import pathlib
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
TICKMARK = ROOT / "build" / "tickmark"
KEPT = ROOT / "tickmark-results" / "conformance-matrix"
sys.path.insert(0, str(ROOT / "scripts"))
import conformance_pages  # noqa: E402


def ask(*arguments):
    done = subprocess.run([TICKMARK, *arguments, "--json"], capture_output=True, text=True)
    if not done.stdout:
        sys.exit(f"conformance-matrix: {done.stderr.strip()}")
    return json.loads(done.stdout)


def subjects_here():
    """Those there are, in the order of the list; the system's own node only where no version of it was fetched."""
    listed = [s for s in ask("list", "subjects")["subjects"] if s["available"]]
    families = {s["name"].split("@")[0] for s in listed if "@" in s["name"]}
    return [s for s in listed if s["name"] not in families]


def digest(paths):
    value = hashlib.sha256()
    for path in paths:
        value.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes())
    return value.hexdigest()[:12]


def rule_digests():
    """{rule: digest of its file}"""
    root = ROOT / "conformance" / "rules"
    return {str(path.relative_to(root))[:-5]: digest([path]) for path in sorted(root.rglob("*.yaml"))}


def players_digest():
    """Of what plays and judges."""
    return digest(sorted(path for folder in ("players", "oracle") for path in (ROOT / "conformance" / folder).rglob("*")
                         if path.is_file() and "_test." not in path.name))


def known_digest(subject):
    """Of the deviations that verdicts are marked with."""
    path = ROOT / "conformance" / "expectations" / (subject.split("@")[0] + ".yaml")
    return digest([path] if path.exists() else [])


class Job:
    """A subject in a mode ("" for players that know none, "wire" for what a client sees)."""

    def __init__(self, subject, mode, key, rules):
        self.name, self.mode, self.rules = subject["name"], mode, rules
        self.key = {**key, "versions": subject["versions"], "known": known_digest(self.name)}
        self.file = KEPT / (self.name.replace("/", "_") + (f"__{mode}" if mode else "") + ".json")

    def __str__(self):
        return self.name + (f" ({self.mode})" if self.mode else "")

    def kept(self):
        """{rule: {"digest", "verdicts"}} of what holds of the rules as they are; a rule without a verdict was not
        judged in this mode."""
        try:
            kept = json.loads(self.file.read_text())
        except (OSError, ValueError):
            return {}
        if kept["key"] != self.key:
            return {}
        return {rule: one for rule, one in kept["rules"].items() if self.rules.get(rule) == one["digest"]}

    def missing(self):
        kept = self.kept()
        return [rule for rule in self.rules if rule not in kept]

    def verdicts(self):
        return [verdict for one in self.kept().values() for verdict in one["verdicts"]]

    def run(self):
        """Judges what is missing; why it could not, or None."""
        missing, kept = self.missing(), self.kept()
        asked = [rule for rule in missing if self.mode != "wire" or rule.startswith("wire/")]
        seen = {rule: {"digest": self.rules[rule], "verdicts": []} for rule in missing}
        if asked:
            verdicts, reason = self.ask(asked)
            if reason:
                return reason
            for verdict in verdicts:
                seen[verdict["rule"]]["verdicts"].append(verdict)
        scratch = self.file.with_suffix(".new")
        scratch.write_text(json.dumps({"key": self.key, "rules": {**kept, **seen}}))
        scratch.replace(self.file)
        return None

    def ask(self, rules):
        """(verdicts, why there are none)"""
        command = [TICKMARK, "conform", self.name, "--repeat", str(self.key["repeat"]), "--json"]
        if self.mode not in ("", "wire"):
            command += ["--mode", self.mode]
        for rule in rules:
            command += ["--rule", rule]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode == 77:
            return [], None
        if done.returncode not in (0, 1):
            return [], done.stderr.strip() or f"exit code {done.returncode}"
        return json.loads(done.stdout)["rules"], None


def jobs_of(subject, key, rules):
    modes = [feature[5:] for feature in subject["features"] if feature.startswith("mode_")]
    return [Job(subject, mode, key, rules) for mode in ([*modes, "wire"] if modes else [""])]


def judge(jobs, parallel):
    """Runs what is not kept; the jobs that failed, with the reason."""
    todo = [job for job in jobs if job.missing()]
    print(f"{len(jobs)} jobs, {len(jobs) - len(todo)} of them kept", file=sys.stderr)
    failed, begin = {}, time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(parallel) as pool:
        running = {pool.submit(job.run): job for job in todo}
        for done, future in enumerate(concurrent.futures.as_completed(running), 1):
            job, reason = running[future], future.result()
            if reason:
                failed[job] = reason
            left = (time.monotonic() - begin) / done * (len(todo) - done)
            print(f"[{done}/{len(todo)}] {job}: {reason or 'judged'}; about {left / 60:.0f} min left", file=sys.stderr)
    return failed


def columns_of(jobs):
    """A column for each mode; what is seen on the wire stands in the first."""
    wire = {job.name: job.verdicts() for job in jobs if job.mode == "wire"}
    columns = []
    for job in jobs:
        verdicts = job.verdicts() + (wire.pop(job.name, []) if job.mode != "wire" else [])
        if verdicts and job.mode != "wire":
            columns.append(conformance_pages.Column(job.name, job.mode, job.key["versions"], verdicts))
    return columns


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("subjects", nargs="*", help="only these; then no page is written")
    parser.add_argument("--repeat", type=int, default=20, help="runs of each rule (default 20)")
    parser.add_argument("--jobs", type=int, default=1, help="at a time (default 1, which keeps every core busy)")
    parser.add_argument("--again", action="store_true", help="judge again what is kept, too")
    options = parser.parse_args()
    KEPT.mkdir(parents=True, exist_ok=True)
    here = subjects_here()
    unknown = set(options.subjects) - {s["name"] for s in here}
    if unknown:
        sys.exit(f"conformance-matrix: {', '.join(sorted(unknown))} cannot play here; tickmark list subjects tells why")
    key, rules = {"players": players_digest(), "repeat": options.repeat}, rule_digests()
    jobs = [job for subject in here if not options.subjects or subject["name"] in options.subjects
            for job in jobs_of(subject, key, rules)]
    if options.again:
        for job in jobs:
            job.file.unlink(missing_ok=True)
    failed = judge(jobs, options.jobs)
    if failed or options.subjects:
        return 3 if failed else 0
    columns = columns_of(jobs)
    today = datetime.date.today().isoformat()
    for name, text in conformance_pages.pages(columns, options.repeat, today).items():
        (ROOT / "docs" / name).write_text(text)
        print(f"docs/{name} is written", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
