"""The loop's own tests, 5,000 connections among them, and 500 random programs, under ASan, UBSan and TSan (40 min).

The tests of reference-loop run on each backend as `ctest` runs them. The stress test opens, closes, writes,
cancels and stops at random; a seed that fails replays alone: REFLOOP_STRESS_SEED=n refloop_test.
"""
import argparse
import os
import re
import subprocess
import sys
import pathlib

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from common import ROOT, fail, verdict  # noqa: E402

PRESETS = {"asan-ubsan": "ASan and UBSan", "tsan": "TSan"}
BACKENDS = ("epoll", "io_uring")


def build(preset):
    for command in (["cmake", "--preset", preset],
                    ["cmake", "--build", "--preset", preset, "--target", "reference-loop/all"]):
        done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode != 0:
            fail(f"sanitized: '{' '.join(command)}' failed:\n{done.stdout[-2000:]}")


def tests(preset):
    """(passed, failed): the loop's tests, each backend a test of its own; what fails is printed."""
    done = subprocess.run(["ctest", "--preset", preset, "-R", "^(refloop|http)", "-E", "package", "-j1"], cwd=ROOT,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    told = re.search(r"(\d+) tests failed out of (\d+)", done.stdout)
    if told is None:
        fail(f"sanitized: ctest said nothing of its tests:\n{done.stdout[-2000:]}")
    if done.returncode != 0:
        print(done.stdout[-4000:])
    failed, all_tests = int(told[1]), int(told[2])
    return all_tests - failed, failed


def stress(preset, backend, seeds):
    """How many of the seeds ran, and what the test said if one failed."""
    program = ROOT / f"build-{preset}" / "bin" / "refloop_test"
    done = subprocess.run([program, "--gtest_filter=StressTest.*"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, env=os.environ | {"REFLOOP_TEST_BACKEND": backend,
                                                       "REFLOOP_STRESS_SEEDS": str(seeds)})
    ran = re.search(r"\[  PASSED  \] ([1-9]\d*) test", done.stdout) is not None
    return "" if done.returncode == 0 and ran else done.stdout[-4000:]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=500, help="random programs per backend (default 500)")
    parser.add_argument("--only", choices=PRESETS, help="one sanitized build instead of both")
    options = parser.parse_args()
    good = True
    for preset, name in PRESETS.items():
        if options.only not in (None, preset):
            continue
        build(preset)
        passed, failed = tests(preset)
        good &= verdict(f"{name}: tests of the loop", "0 failed", f"{passed} passed, {failed} failed",
                        failed == 0 and passed > 0)
        for backend in BACKENDS:
            said = stress(preset, backend, options.seeds)
            good &= verdict(f"{name}: stress on {backend}", f"{options.seeds} seeds, no finding",
                            said or "no finding", not said)
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
