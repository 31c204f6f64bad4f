"""System calls per message of a saturated echo, 64 connections, both backends (2 min).

Counts only, by perf where the kernel allows it (raw_syscalls:sys_enter, which slows nothing down), else by strace,
under which batches grow and counts shrink. Accepting and closing the 64 connections is counted, too: nothing beside
100,000 messages.

Saturated means: the subject never slept for want of messages. One core of generator needs more time for a message
than a good loop does, so it cannot saturate one that has a core to itself: it would count how fast the generator is.
Each subject is therefore counted while a spinner takes half of its core, which gives the generator the lead, and the
count says how much of the time the subject ran or waited to run; below 95 % it is no count of a saturated subject and
fails. The count with the core to itself stands beside it as a remark.
"""
import argparse
import contextlib
from concurrent import futures
import os
import pathlib
import re
import signal
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from common import Unserved, fail, load, remark, server, tree, verdict  # noqa: E402

GOALS = {"reference_loop": 2.1, "reference_loop:backend=io_uring": 0.1}
BESIDE = ["raw_epoll", "raw_io_uring", "libuv:write=queue", "libuv", "asio"]
MESSAGE_BYTES = 64
SATURATED = 0.95  # share of the time that a saturated subject runs or waits to run


def counters():
    """The ways to count, best first: (name, command that attaches to pids, total in what it prints)."""
    def perf(pids):
        return ["perf", "stat", "-x", ",", "-e", "raw_syscalls:sys_enter", "-p", ",".join(map(str, pids))]

    def strace(pids):
        return ["strace", "-c", "-f", *(word for pid in pids for word in ("-p", str(pid)))]

    return [("perf", perf, r"^(\d+),,raw_syscalls"), ("strace", strace, r"^100\.00\s.*?(\d+)\s+(?:\d+\s+)?total$")]


def choose_counter():
    for counter in counters():
        try:
            tried = subprocess.run(["perf", "stat", "-e", "raw_syscalls:sys_enter", "true"] if counter[0] == "perf"
                                   else ["strace", "-c", "true"], capture_output=True)
        except FileNotFoundError:
            continue
        if tried.returncode == 0:
            return counter
    fail("neither perf nor strace can count here; run scripts/install-dependencies --prove")


def wanted_ns(pid):
    """Time on a core and time in wait for one, of the busiest thread of a process tree: not asleep."""
    found = [0]
    for member in tree(pid):
        for task in pathlib.Path(f"/proc/{member}/task").glob("*/schedstat"):
            with contextlib.suppress(OSError):
                on_core, waiting = task.read_text().split()[:2]
                found.append(int(on_core) + int(waiting))
    return max(found)


def share_wanted(pid, seconds):
    """Share of the time that its busiest thread was not asleep, without the first and the last quarter."""
    time.sleep(seconds / 4)
    begin, before = time.monotonic_ns(), wanted_ns(pid)
    time.sleep(seconds / 2)
    return (wanted_ns(pid) - before) / (time.monotonic_ns() - begin)


@contextlib.contextmanager
def spinner(cpu):
    """Takes half of a core from whoever else wants it."""
    busy = subprocess.Popen(["taskset", "-c", str(cpu), sys.executable, "-c", "while True: pass"])
    try:
        yield
    finally:
        busy.kill()
        busy.wait()


def count(subject, seconds, counter, cores):
    """(system calls per message, share of the time it ran or waited to run)"""
    _, command, total = counter
    with server(subject, "sockets", cpu=cores[0]) as one:
        counting = subprocess.Popen(command(tree(one.pid)), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        with futures.ThreadPoolExecutor(1) as beside:
            loaded = beside.submit(load, f"tcp://127.0.0.1:{one.port}", "--workload", "sockets", "--closed",
                                   "--connections", "64", "--duration", f"{seconds}s", "--cpu", str(cores[-1]))
            wanted = share_wanted(one.pid, seconds)
            loaded.result()
        counting.send_signal(signal.SIGINT)
        said = counting.communicate(timeout=20)[0]
        messages = one.final()["bytes"] / MESSAGE_BYTES
    found = re.search(total, said, re.MULTILINE)
    if not found:
        fail(f"{counter[0]} counted nothing: {said}")
    return int(found[1]) / messages, wanted


def judge_subject(subject, options, counter, cores):
    name, goal = f"{subject}: system calls per message", GOALS.get(subject)
    try:
        with spinner(cores[0]):
            calls, wanted = count(subject, options.seconds, counter, cores)
        alone, wanted_alone = count(subject, options.seconds, counter, cores)
    except Unserved as why:
        if goal is None:
            remark(name, str(why))
            return True
        return verdict(name, f"at most {goal}", str(why), False)
    seen = f"{calls:.3f} while {wanted:.0%} wanted the core"
    remark(f"{subject} alone on its core", f"{alone:.3f} while {wanted_alone:.0%} wanted it")
    if goal is None:
        remark(name, seen)
        return True
    return verdict(name, f"at most {goal}, saturated", seen, calls <= goal and wanted >= SATURATED)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=4)
    options = parser.parse_args()
    counter = choose_counter()
    cores = sorted(os.sched_getaffinity(0))
    print(f"counted by {counter[0]}")
    good = True
    for subject in [*GOALS, *BESIDE]:
        good &= judge_subject(subject, options, counter, cores)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
