"""What the generator adds to a latency, request by request, against a server that stamps with the same clock (18 s).

The residual of a request is the time from the end of its service, as the server saw it, to the time at which the
generator saw the reply: never negative; in the median at most 15 us above the wake-up of a thread on this machine when
the generator blocks, and at most 20 us when it never sleeps (`tickmark load --spin-always`). Spinning only before
deadlines, as trials do, it is woken by replies as if it blocked; that is told. The server's queueing must be the
Lindley recursion's within 100 us, beyond the wake-up of the server (p99), for 99 % of the requests: the generator sent
when it says it did.
"""
import json
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from common import fail, remark, verdict  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]


def main():
    program = ROOT / "build/bin/load_truth"
    if not program.exists():
        fail("build/bin/load_truth is missing; run scripts/build release all")
    done = subprocess.run([str(program)], capture_output=True, text=True)
    if done.returncode != 0:
        fail(done.stderr.strip(), done.returncode)
    report = json.loads(done.stdout)
    wake = report["wake_ns_p50"]
    good = True
    told = report["before_deadlines"]
    remark("spinning before deadlines: p50 of the residual", f"{told['residual_ns_p50'] / 1e3:.1f} us")
    for name, limit in (("blocking", wake + 15_000), ("spinning", 20_000)):
        seen = report[name]
        good &= verdict(f"{name}: smallest residual", ">= 0", f"{seen['residual_ns_min'] / 1e3:.1f} us",
                        seen["residual_ns_min"] >= 0)
        good &= verdict(f"{name}: p50 of the residual", f"<= {limit / 1e3:.1f} us (wake-up {wake / 1e3:.1f} us)",
                        f"{seen['residual_ns_p50'] / 1e3:.1f} us", seen["residual_ns_p50"] <= limit)
        good &= verdict(f"{name}: queueing as Lindley's", ">= 0.99", f"{seen['share_as_lindley']:.4f}",
                        seen["share_as_lindley"] >= 0.99)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
