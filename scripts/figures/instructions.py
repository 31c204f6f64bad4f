"""Instructions of our own code per message, counted by callgrind in lock-step, against libuv's (1 min).

One connection sends a message and waits for its echo, a fixed number of times. Two runs of different length are
subtracted, so that start and end cancel out; three such counts must agree within 1 %. Own code of the reference loop
is every function of refloop:: and everything inlined from reference-loop/, wherever it was inlined; own code of
libuv is its shared object (and liburing's counts as the reference loop's). The kernel, libc and the service half are
neither's.
"""
import argparse
import json
import pathlib
import re
import shutil
import socket
import subprocess
import tempfile
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from common import ROOT, Unserved, fail, remark, verdict  # noqa: E402

OURS = {"reference_loop": [], "reference_loop:backend=io_uring": ["backend=io_uring"]}
# uv_write is how its users send (see loop_cost); uv_try_write saves it the write queue.
THEIRS = {"libuv:write=queue": ["write=queue"], "libuv": []}
GOAL = 0.5
FEW, MANY = 500, 6500  # far enough apart for what lock_step() adds


def is_own(obj, function, file):
    if "libuv.so" in obj or "liburing.so" in obj:
        return True
    own_file = "/reference-loop/" in file and "/http_parser/" not in file
    return "subject_reference_loop" in obj and (own_file or re.match(r"(non-virtual thunk to )?refloop::", function))


def own_instructions(text):
    """The self cost of own code in a callgrind file written without any compression. A `calls=` line is followed
    by one line of inclusive cost, which is somebody else's self cost."""
    total, obj, function, file, skip = 0, "", "", "", False
    for line in text.splitlines():
        key, equals, value = line.partition("=")
        if equals and key in ("ob", "fn", "fl", "fi", "fe", "calls"):
            if key == "ob":
                obj = value
            elif key == "fn":
                function = value
            elif key == "calls":
                skip = True
            else:
                file = value
        elif re.match(r"\d+ \d+$", line):
            if not skip and is_own(obj, function, file):
                total += int(line.split()[1])
            skip = False
    return total


def echo_once(peer):
    """One message there and back; False when the subject is gone."""
    message = bytes(64)
    try:
        peer.sendall(message)
        got = 0
        while got < len(message):
            more = peer.recv(4096)
            if not more:
                return False
            got += len(more)
    except OSError:
        return False
    return True


def lock_step(process, port, messages):
    """How many messages were echoed until the subject had ended: `messages`, and some more. Valgrind runs one thread
    at a time, and one that waits in io_uring_enter keeps the others out: it takes messages to wake it for its end."""
    with socket.create_connection(("127.0.0.1", port), 30) as peer:
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        echoed = sum(echo_once(peer) for _ in range(messages))
        process.stdin.close()
        while echo_once(peer):
            echoed += 1
    return echoed


def run(subject, options, messages):
    """Own instructions of a whole life, and the messages in it."""
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder) / "callgrind.out"
        words = [str(ROOT / "build" / "bin" / f"subject_{subject.partition(':')[0]}"), "serve", "--workload", "sockets"]
        for option in options:
            words += ["--option", option]
        process = subprocess.Popen(
            ["valgrind", "--tool=callgrind", "--fair-sched=yes", f"--callgrind-out-file={out}", "--compress-strings=no",
             "--compress-pos=no", *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True)
        line = process.stdout.readline()
        if not line:
            process.stdin.close()
            said = process.stderr.read().splitlines()
            raise Unserved(next((words for words in said if words.startswith("subject_")), "it did not start"))
        echoed = lock_step(process, json.loads(line)["ready"]["port"], messages)
        process.wait(60)
        if echoed < messages:
            raise Unserved(f"answered {echoed} of {messages} messages")
        return own_instructions(out.read_text()), echoed


def per_message(subject, options):
    """Three counts; their middle and whether they agree."""
    counts = []
    for _ in range(3):
        (few, few_echoed), (many, many_echoed) = run(subject, options, FEW), run(subject, options, MANY)
        if many_echoed <= few_echoed:
            raise Unserved(f"both runs ended after {few_echoed} messages")
        counts.append((many - few) / (many_echoed - few_echoed))
    counts.sort()
    return counts[1], counts[2] - counts[0] <= 0.01 * counts[1], counts


def main():
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    if not shutil.which("valgrind"):
        fail("valgrind is not installed; run scripts/install-dependencies --prove")
    good, found = True, {}
    for subject, options in {**THEIRS, **OURS}.items():
        try:
            found[subject], agree, counts = per_message(subject, options)
            seen = ", ".join(f"{count:.1f}" for count in counts)
        except Unserved as why:
            agree, seen = False, str(why)
        good &= verdict(f"{subject}: own instructions per message", "three counts within 1 %", seen, agree)
    for subject in filter(found.get, OURS):
        ratio = found[subject] / found["libuv:write=queue"]
        good &= verdict(f"{subject} to libuv:write=queue", f"at most {GOAL}", f"{ratio:.3f}", ratio <= GOAL)
        remark(f"{subject} to libuv (write=try)", f"{found[subject] / found['libuv']:.3f}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
