"""Random programs: the acceptor refuses nothing a loop does, nearly everything no loop does, and is fast enough.

In virtual time on the reference loop: callbacks drawn, run, traced and judged per second on one core; programs under
legal perturbation; exchanges of neighbours that no loop makes. On real runtimes: fresh programs of a seed of their own,
all of which must be accepted, and how many of them a second.
"""
import argparse
import json
import pathlib
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from common import ROOT, TICKMARK, remark, verdict  # noqa: E402

TOOL = ROOT / "build" / "bin" / "conformance_programs"
# Of the exchanges of neighbours no loop makes. The rest hangs on what cannot have passed yet, and the acceptor keeps
# least times only (docs/acceptor.md): to know more it would have to read a clock, and would be wrong on a slow machine.
REFUSED_LEAST = 0.995


def tool(figure, *arguments, cpu=None):
    pinned = ["taskset", "-c", str(cpu)] if cpu is not None else []
    done = subprocess.run([*pinned, TOOL, figure, *arguments], capture_output=True, text=True)
    if not done.stdout:
        sys.exit(f"{TOOL} {figure}: {done.stderr}")
    if done.returncode:
        print(done.stderr)
    return json.loads(done.stdout)


def in_virtual_time(options):
    speeds = [tool("sweep", "--programs", "100000", "--seed", str(seed), cpu=0) for seed in range(3)]
    best = max(seen["callbacks_per_s"] for seen in speeds)
    good = verdict("callbacks/s run, traced and judged, one core", "at least 2,000,000", f"{best:,.0f}",
                   best >= 2_000_000)
    seen = tool("perturb", "--programs", str(options.perturbed), "--throwing", "100", "--seed", str(options.seed))
    good &= verdict(f"{seen['programs']:,} programs, legally perturbed", "0 refused",
                    f"{seen['refused']} refused, {seen['inconclusive']} not judged", seen["refused"] == 0)
    seen = tool("tight", "--programs", "1000")
    good &= verdict(f"orders of {seen['programs']:,} small programs", f"{seen['orders']:,} accepted",
                    f"{seen['orders'] - seen['refused_orders']:,}", seen["refused_orders"] == 0)
    share = seen["refused"] / seen["illegal"]
    good &= verdict("exchanges of neighbours no loop makes", f"at least {100 * REFUSED_LEAST:.1f} % refused",
                    f"{100 * share:.2f} % of {seen['illegal']:,}", share >= REFUSED_LEAST)
    seen = tool("swaps", "--programs", "5000")
    remark("causally unrelated exchanges refused", f"{100 * seen['refused'] / seen['swaps']:.1f} %")
    return good


def on(subject, options):
    start = time.monotonic()
    done = subprocess.run([TICKMARK, "fuzz", subject, "--programs", str(options.programs), "--seed", str(options.seed),
                           "--json"], capture_output=True, text=True)
    if done.returncode == 77:
        remark(subject, f"skipped: {done.stderr.strip()}")
        return True
    if not done.stdout:
        return verdict(subject, "an answer", done.stderr.strip(), False)
    seen = json.loads(done.stdout)["subjects"][0]
    accepted = seen["programs"] - seen["refused"] - seen["missing"]
    good = verdict(f"{subject}: fresh programs accepted", f"{seen['programs']:,}", f"{accepted:,}",
                   accepted == seen["programs"])
    for finding in seen["findings"]:
        print(f"      {finding['what']}\n      {json.dumps(finding['program'])}")
    speed = seen["programs"] / (time.monotonic() - start)
    return good & verdict(f"{subject}: programs/s, drawing and judging included", "at least 200", f"{speed:,.0f}",
                          speed >= 200)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("subjects", nargs="*", default=["node@20", "node@22", "node@24"])
    parser.add_argument("--programs", type=int, default=10_000, help="on each subject")
    parser.add_argument("--perturbed", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=int(time.time()), help="default: the time, so that it is fresh")
    options = parser.parse_args()
    print(f"      seed {options.seed}")
    good = in_virtual_time(options)
    for subject in options.subjects:
        good &= on(subject, options)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
