"""Every rule on every runtime that is here, version by version and mode by mode.

One job is a subject in a mode; two run at a time. A job's verdicts are kept in tickmark-results/conformance-matrix/
and are taken from there as long as the rules, the number of repetitions and the subject's versions are the same: an
interrupted matrix goes on where it was. The pages are written when every job has been judged.
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


def rules_digest():
    digest = hashlib.sha256()
    for path in sorted((ROOT / "conformance" / "rules").rglob("*.yaml")):
        digest.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


class Job:
    """A subject in a mode ("" for players that know none)."""

    def __init__(self, subject, mode, digest, repeat):
        self.name, self.mode = subject["name"], mode
        self.key = {"rules": digest, "repeat": repeat, "versions": subject["versions"]}
        self.file = KEPT / (self.name.replace("/", "_") + (f"__{mode}" if mode else "") + ".json")

    def __str__(self):
        return self.name + (f" ({self.mode})" if self.mode else "")

    def verdicts(self):
        """What is kept of it, or None."""
        try:
            kept = json.loads(self.file.read_text())
        except (OSError, ValueError):
            return None
        return kept["rules"] if kept["key"] == self.key else None

    def run(self):
        command = [TICKMARK, "conform", self.name, "--repeat", str(self.key["repeat"]), "--json"]
        if self.mode:
            command += ["--mode", self.mode]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode not in (0, 1, 77):
            return done.stderr.strip() or f"exit code {done.returncode}"
        rules = json.loads(done.stdout)["rules"] if done.returncode != 77 else []
        scratch = self.file.with_suffix(".new")
        scratch.write_text(json.dumps({"key": self.key, "rules": rules}))
        scratch.replace(self.file)
        return None


def judge(jobs, parallel):
    """Runs what is not kept; the jobs that failed, with the reason."""
    todo = [job for job in jobs if job.verdicts() is None]
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



def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("subjects", nargs="*", help="only these; then no page is written")
    parser.add_argument("--repeat", type=int, default=20, help="runs of each rule (default 20)")
    parser.add_argument("--jobs", type=int, default=2, help="jobs at a time (default 2)")
    parser.add_argument("--again", action="store_true", help="judge again what is kept, too")
    options = parser.parse_args()
    KEPT.mkdir(parents=True, exist_ok=True)
    here = subjects_here()
    unknown = set(options.subjects) - {s["name"] for s in here}
    if unknown:
        sys.exit(f"conformance-matrix: {', '.join(sorted(unknown))} cannot play here; tickmark list subjects tells why")
    digest = rules_digest()
    jobs = [Job(subject, mode, digest, options.repeat)
            for subject in here if not options.subjects or subject["name"] in options.subjects
            for mode in [f[5:] for f in subject["features"] if f.startswith("mode_")] or [""]]
    if options.again:
        for job in jobs:
            job.file.unlink(missing_ok=True)
    failed = judge(jobs, options.jobs)
    if failed or options.subjects:
        return 3 if failed else 0
    columns = [conformance_pages.Column(job.name, job.mode, job.key["versions"], job.verdicts())
               for job in jobs if job.verdicts()]
    today = datetime.date.today().isoformat()
    for name, text in conformance_pages.pages(columns, options.repeat, today).items():
        (ROOT / "docs" / name).write_text(text)
        print(f"docs/{name} is written", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
