"""Five ways to run a program: what a machine can do to callbacks without a runtime being to blame.

    idle      nothing else
    busy      a spinner on every core
    pinned    it and all it starts on one core
    jitter    the player is stopped for 1 to 20 ms every 5 to 50 ms (SIGSTOP, SIGCONT)
    quota     a fifth of one core by the kernel's CPU controller; where that is not permitted `throttle`, a duty cycle
              of SIGSTOP and SIGCONT: 20 ms of 100
"""
import contextlib
import os
import pathlib
import random
import signal
import subprocess
import sys
import threading

NAMES = ("idle", "busy", "pinned", "jitter", "quota")
HARNESS = {"tickmark", "guard"}  # stopped, they would measure nothing and hang nobody
QUOTA_US, PERIOD_US = 20_000, 100_000


def players(root):
    """Descendants of `root` that are no part of the harness."""
    found, todo = [], [root]
    while todo:
        pid = todo.pop()
        with contextlib.suppress(OSError):
            if pathlib.Path(f"/proc/{pid}/comm").read_text().strip() not in HARNESS:
                found.append(pid)
            for task in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
                todo.extend(int(child) for child in task.read_text().split())
    return found


class Stopper(threading.Thread):
    """Stops and continues the players below a process until told to end; `turn()` gives (stopped, running) in s."""

    def __init__(self, root, turn):
        super().__init__(daemon=True)
        self.root, self.turn, self.over = root, turn, threading.Event()

    def run(self):
        while not self.over.is_set():
            stopped, running = self.turn()
            self.over.wait(running)
            pids = players(self.root)
            try:
                self.signal(pids, signal.SIGSTOP)
                self.over.wait(stopped)
            finally:
                self.signal(pids, signal.SIGCONT)

    @staticmethod
    def signal(pids, number):
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)


@contextlib.contextmanager
def spinners():
    busy = [subprocess.Popen(["taskset", "-c", str(cpu), sys.executable, "-c", "while True: pass"])
            for cpu in os.sched_getaffinity(0)]
    try:
        yield
    finally:
        for spinner in busy:
            spinner.kill()
            spinner.wait()


class Quota:
    """A control group with a fifth of a core, of either version; `file` takes process ids. None where forbidden."""

    def __init__(self):
        name = f"tickmark-{os.getpid()}-{threading.get_ident()}"
        for root, limits in ((pathlib.Path("/sys/fs/cgroup"), {"cpu.max": f"{QUOTA_US} {PERIOD_US}"}),
                             (pathlib.Path("/sys/fs/cgroup/cpu"),
                              {"cpu.cfs_period_us": str(PERIOD_US), "cpu.cfs_quota_us": str(QUOTA_US)})):
            self.folder = root / name
            try:
                self.folder.mkdir()
                for key, value in limits.items():
                    with (self.folder / key).open("r+") as file:  # never to be made: the kernel has, or has not
                        file.write(value)
                return
            except OSError:
                with contextlib.suppress(OSError):
                    self.folder.rmdir()
        self.folder = None

    def enter(self):
        (self.folder / "cgroup.procs").write_text(str(os.getpid()))

    def close(self):
        for pid in (self.folder / "cgroup.procs").read_text().split():
            with contextlib.suppress(OSError):
                (self.folder.parent / "cgroup.procs").write_text(pid)
        with contextlib.suppress(OSError):
            self.folder.rmdir()


def quota_is_permitted():
    quota = Quota()
    if quota.folder is None:
        return False
    quota.close()
    return True


def names():
    """The five, with what stands for the last one here."""
    return NAMES if quota_is_permitted() else (*NAMES[:-1], "throttle")


def jitter_turn():
    return random.uniform(0.001, 0.020), random.uniform(0.005, 0.050)


def throttle_turn():
    return 0.080, 0.020


def run(command, condition, core=None):
    """Runs a command to its end under one condition, on `core` if that is to be one core; spinners are the caller's.
    (exit code, stdout, stderr)"""
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    quota = Quota() if condition == "quota" else None
    if condition == "pinned":
        command = ["taskset", "-c", str(min(os.sched_getaffinity(0)) if core is None else core), *command]
    if quota:
        options["preexec_fn"] = quota.enter
    process = subprocess.Popen(command, **options)
    turn = {"jitter": jitter_turn, "throttle": throttle_turn}.get(condition)
    stopper = Stopper(process.pid, turn) if turn else None
    if stopper:
        stopper.start()
    try:
        out, err = process.communicate()
    finally:
        if stopper:
            stopper.over.set()
            stopper.join()
        if quota:
            quota.close()
    return process.returncode, out, err
