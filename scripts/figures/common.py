"""What the figures share: the command, runs and servers to measure, process trees, a verdict line."""
import contextlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
TICKMARK = ROOT / "build" / "tickmark"
LIARS = ("stamps_at_the_send", "drops_late_arrivals")  # harness/stats/ruler_mutant.h

generator = TICKMARK  # who sends load()
missed = []  # names of the verdicts that were not good


def fail(sentence, code=3):
    print(sentence, file=sys.stderr)
    sys.exit(code)


def tree(root):
    """The process and all its descendants, root first."""
    found, todo = [], [root]
    while todo:
        pid = todo.pop()
        found.append(pid)
        for task in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
            with contextlib.suppress(OSError):
                todo.extend(int(child) for child in task.read_text().split())
    return found


def signal_tree(root, number):
    for pid in tree(root):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


@contextlib.contextmanager
def stopped_once(pid, after_s, pause_s):
    """Stops the tree of `pid` for `pause_s`, `after_s` after the start of what is done meanwhile. Yields a list that
    holds the true length of the stop, in seconds, once that is done."""
    lengths = []

    def stop():
        time.sleep(after_s)
        signal_tree(pid, signal.SIGSTOP)
        start = time.monotonic()
        time.sleep(pause_s)
        signal_tree(pid, signal.SIGCONT)
        lengths.append(time.monotonic() - start)

    thread = threading.Thread(target=stop)
    thread.start()
    try:
        yield lengths
    finally:
        thread.join()


def stop_quantile_ms(pause_s, window_s, rho, q):
    """The q-quantile of response times, of a server stopped for `pause_s` once in `window_s` while it was asked at a
    constant rate of `rho` of its capacity: P - (1 - rho) T (1 - q)."""
    return (pause_s - (1 - rho) * window_s * (1 - q)) * 1e3


class Unserved(Exception):
    """A subject that does not start here; why."""


class Server:
    """A subject that serves: `port`, `pid` of the accounted tree's root, and `final()` when it has ended."""

    def __init__(self, name, workload):
        self.process = subprocess.Popen([TICKMARK, "serve", name, "--workload", workload], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        if not line:
            raise Unserved(self.process.communicate()[1].strip() or f"{name} did not start")
        ready = json.loads(line)["ready"]
        self.port, self.pid = ready["port"], ready["pid"]

    def final(self):
        """Ends it and returns the counters it has."""
        if self.process.poll() is None:
            self.process.stdin.close()
            self.process.wait(10)
        line = self.process.stdout.readline()
        return json.loads(line)["final"] if line else {}

    def pin(self, cpu):
        for member in tree(self.pid):
            subprocess.run(["taskset", "-acp", str(cpu), str(member)], check=True, capture_output=True)


@contextlib.contextmanager
def server(name, workload, cpu=None):
    serving_one = Server(name, workload)
    try:
        if cpu is not None:
            serving_one.pin(cpu)
        yield serving_one
    finally:
        serving_one.final()


@contextlib.contextmanager
def serving(name, cpu=None):
    """Yields (url, pid of the tree's root) of a subject with the workload hello; nginx is one, too."""
    try:
        with server(name, "hello", cpu) as one:
            yield f"http://127.0.0.1:{one.port}/hello", one.pid
    except Unserved as why:
        fail(str(why))


def load(url, *arguments):
    """The JSON of `tickmark load`; its exit code 3 (not valid) is the reader's to judge."""
    done = subprocess.run([generator, "load", url, "--json", *arguments], capture_output=True, text=True)
    if not done.stdout:
        fail(done.stderr)
    return json.loads(done.stdout)


def add_broken(parser):
    parser.add_argument("--broken", choices=LIARS, help="measure with a generator that lies so, which must be refused")


def use_broken(name):
    """Builds the generator that lies and sends load() by it; nothing if `name` is none."""
    global generator
    if name is None:
        return
    done = subprocess.run([ROOT / "scripts" / "build", "release", f"tickmark_{name}"], capture_output=True, text=True)
    if done.returncode:
        fail(f"tickmark_{name} cannot be built: {done.stdout[-600:]}{done.stderr[-600:]}")
    generator = ROOT / "build" / f"tickmark_{name}"


def conclude(good, broken, convicting):
    """The exit code of a figure; of a broken generator 0 if a verdict whose name has `convicting` in it was missed."""
    if broken is None:
        return 0 if good else 1
    by = [name for name in missed if convicting in name]
    told = f"by {len(by)}: {', '.join(sorted(set(by)))}" if by else "by none"
    return 0 if verdict(f"a generator that {broken.replace('_', ' ')} is refused", "by one verdict or more", told,
                        bool(by)) else 1


def verdict(name, expected, seen, good):
    """Prints one line and returns whether it is good."""
    print(f"{'ok  ' if good else 'FAIL'}  {name:<44} expected {expected:<28} seen {seen}")
    if not good:
        missed.append(name)
    return good


def judge(name, measure, goal=None, shown="{:,.2f}"):
    """Measures and prints one line: a figure that must be at most `goal`, or a remark. A subject that does not start
    here is a figure missed, and nothing beside it."""
    try:
        seen = measure()
    except Unserved as why:
        if goal is None:
            remark(name, str(why))
            return True
        return verdict(name, f"at most {goal}", str(why), False)
    if goal is None:
        remark(name, shown.format(seen))
        return True
    return verdict(name, f"at most {goal}", shown.format(seen), seen <= goal)


def remark(name, seen):
    """What stands beside the figures and decides nothing."""
    print(f"      {name:<44} {'':<37} seen {seen}")


@contextlib.contextmanager
def run_suite(suite, subjects=(), blocks=None):
    """Runs a suite (its own subjects unless some are named) and yields the bundle's folder."""
    with tempfile.TemporaryDirectory() as folder:
        bundle = pathlib.Path(folder) / "bundle"
        command = [TICKMARK, "run", *subjects, "--suite", suite, "--no-conform", "--no-report", "--output", str(bundle)]
        if blocks:
            command += ["--blocks", str(blocks)]
        plan = subprocess.run([*command, "--dry-run"], capture_output=True, text=True)
        print(plan.stdout.splitlines()[0] if plan.stdout else plan.stderr, flush=True)
        # Progress is for a person who waits.
        watched = sys.stderr.isatty()
        done = subprocess.run(command, stdout=subprocess.DEVNULL, text=True,
                              stderr=None if watched else subprocess.PIPE)
        if done.returncode not in (0, 4):
            fail(f"the run of suite {suite} failed\n{'' if watched else done.stderr}")
        yield bundle


def trials(bundle):
    return [json.loads(line) for line in (bundle / "trials.ndjson").read_text().splitlines()]


def ratios(bundle, metric):
    """(reference, {(cell, subject): comparison}) of the bundle's own analysis, where there is a ratio."""
    analysis = json.loads((bundle / "analysis.json").read_text())
    return analysis["reference_subject"], {(c["cell"], c["subject"]): c for c in analysis["comparisons"]
                                           if c["metric"] == metric}


def judge_ratio(name, comparison, goal, inverse=False, decides=True):
    """One line for a ratio with its interval: at most `goal`, its upper end at most 0.05 above. `inverse`: the
    comparison is of the other to ours (its estimate is made of logarithms, so its inverse is that of ours)."""
    if not comparison or "ratio_high" not in comparison:
        note = comparison["note"] if comparison else "it was not measured"
        if decides:
            return verdict(name, f"at most {goal:.2f}", f"no interval: {note}", False)
        remark(name, f"no interval: {note}")
        return True
    ratio, low, high = comparison["ratio"], comparison["ratio_low"], comparison["ratio_high"]
    if inverse:
        ratio, low, high = 1 / ratio, 1 / high, 1 / low
    seen = f"{ratio:.3f} [{low:.3f}, {high:.3f}], {comparison['pairs']} blocks"
    if not decides:
        remark(name, seen)
        return True
    return verdict(name, f"at most {goal:.2f} (end {goal + 0.05:.2f})", seen, ratio <= goal and high <= goal + 0.05)
