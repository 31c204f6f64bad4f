"""System calls per message of a saturated echo, 64 connections, both backends (1 min).

Counts only, by perf where the kernel allows it (raw_syscalls:sys_enter, which slows nothing down), else by strace,
under which batches grow and counts shrink. Accepting and closing the 64 connections is counted, too: nothing beside
100,000 messages.

Saturated means that the messages wait for the subject and not the subject for them. One core of generator needs more
time for a message than a good loop does, so it cannot saturate a bare echo: that would count how fast the generator
is. What is judged is therefore given work to do for a message (slowdown=, which makes no system call). It was saturated
if the generator used less than 70 % of its own core, as everywhere; otherwise the count fails. The counts of the bare
echo, its own and those of others, stand beside it as remarks.
"""
import argparse
import os
import pathlib
import re
import signal
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from common import Unserved, fail, load, remark, server, tree, verdict  # noqa: E402

GOALS = {"reference_loop": 2.1, "reference_loop:backend=io_uring": 0.1}
BESIDE = ["raw_epoll", "raw_io_uring", "libuv:write=queue", "libuv", "asio"]
MESSAGE_BYTES = 64
CLIENT_BUSY = 0.70  # share of its core above which the generator limits
WORK = "slowdown=40000i"  # instructions per message: several times a message's own


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


def count(subject, seconds, counter, cores):
    """(system calls per message, share of its core that the generator used)"""
    _, command, total = counter
    with server(subject, "sockets", cpu=cores[0]) as one:
        counting = subprocess.Popen(command(tree(one.pid)), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        report = load(f"tcp://127.0.0.1:{one.port}", "--workload", "sockets", "--closed", "--connections", "64",
                      "--duration", f"{seconds}s", "--cpu", str(cores[-1]))
        counting.send_signal(signal.SIGINT)
        said = counting.communicate(timeout=20)[0]
        messages = one.final()["bytes"] / MESSAGE_BYTES
    found = re.search(total, said, re.MULTILINE)
    if not found:
        fail(f"{counter[0]} counted nothing: {said}")
    return int(found[1]) / messages, report["client"]["cpu_utilisation"]


def judge_subject(subject, options, counter, cores):
    name, goal = f"{subject}: system calls per message", GOALS.get(subject)
    try:
        bare, busy = count(subject, options.seconds, counter, cores)
        remark(f"{subject}, bare echo", f"{bare:.3f} (generator at {busy:.0%} of its core)")
        if goal is None:
            return True
        calls, busy = count(f"{subject}{',' if ':' in subject else ':'}{WORK}", options.seconds, counter, cores)
    except Unserved as why:
        if goal is None:
            remark(name, str(why))
            return True
        return verdict(name, f"at most {goal}", str(why), False)
    return verdict(name, f"at most {goal}, saturated", f"{calls:.3f} (generator at {busy:.0%} of its core)",
                   calls <= goal and busy < CLIENT_BUSY)


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
