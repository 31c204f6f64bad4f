"""A harness killed by SIGKILL at any moment leaves a readable bundle and no subject process.

Ten random moments within a smoke run, once with a subject stopped by SIGSTOP: every bundle left behind must be
reported without an error, and no process of the run may be alive two seconds later.
"""
import argparse
import os
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import time
import uuid

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from common import TICKMARK, verdict  # noqa: E402


def marked(mark):
    """Processes that carry the run's mark in their environment."""
    found = []
    for folder in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if mark.encode() in (folder / "environ").read_bytes():
                found.append(int(folder.name))
        except OSError:
            continue
    return found


def gone(mark, seconds):
    deadline = time.monotonic() + seconds
    while (left := marked(mark)) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not left


def stop_a_subject(mark, harness):
    """SIGSTOP to one process of the run that is neither the harness nor a guard; waits for one to exist."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        for pid in marked(mark):
            try:
                name = pathlib.Path(f"/proc/{pid}/comm").read_text().strip()
            except OSError:
                continue
            if pid != harness and name != "guard":
                os.kill(pid, signal.SIGSTOP)
                return name
        time.sleep(0.01)
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=10)
    parser.add_argument("--within", type=float, default=25.0, help="seconds after the start")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    chance = random.Random(options.seed)
    good = True
    for time_number in range(options.times):
        with tempfile.TemporaryDirectory() as folder:
            mark = f"PROVE_KILL={uuid.uuid4()}"
            name, value = mark.split("=")
            bundle = pathlib.Path(folder) / "bundle"
            harness = subprocess.Popen([TICKMARK, "run", "--suite", "smoke", "--output", str(bundle)],
                                       env={**os.environ, name: value}, stdout=subprocess.DEVNULL,
                                       stderr=subprocess.DEVNULL)
            moment = chance.uniform(0.3, options.within)
            time.sleep(moment)
            stopped = stop_a_subject(mark, harness.pid) if time_number == 0 else None
            harness.kill()
            harness.wait()
            alone = gone(mark, 5)
            report = subprocess.run([TICKMARK, "report", str(bundle)], capture_output=True, text=True)
            # Killed before the plan was written there is no bundle: then the sentence must say so.
            readable = report.returncode == 0 or not (bundle / "plan.json").exists() and report.returncode == 2
            note = f", {stopped} stopped" if stopped else ""
            good &= verdict(f"killed after {moment:.1f} s{note}", "no survivor, readable",
                            f"{'none' if alone else marked(mark)}, report exit {report.returncode}",
                            alone and readable)
            if not readable:
                print(report.stderr)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
