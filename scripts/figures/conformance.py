"""Every rule passes on the reference loop, 1,000 repetitions, on an idle machine and with both cores busy.
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from common import TICKMARK, verdict  # noqa: E402


def conform(subject, repeat):
    done = subprocess.run([TICKMARK, "conform", subject, "--repeat", str(repeat), "--json"],
                          capture_output=True, text=True)
    rules = [r for r in json.loads(done.stdout)["rules"] if r["level"] in ("must", "should")]
    bad = [r for r in rules if r["verdict"] not in ("pass", "inapplicable", "unsupported")]
    for rule in bad:
        print(f"      {rule['verdict']}: {rule['rule']} ({rule['failed']} of {rule['runs']}): {rule['reason']}")
    passed = sum(r["verdict"] == "pass" for r in rules)
    return passed, len(bad), len(rules)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--subject", default="reference_loop")
    parser.add_argument("--repeat", type=int, default=1000)
    options = parser.parse_args()
    good = True
    for condition, busy in (("idle", 0), ("both cores busy", len(os.sched_getaffinity(0)))):
        spinners = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(busy)]
        try:
            passed, bad, rules = conform(options.subject, options.repeat)
        finally:
            for spinner in spinners:
                spinner.kill()
                spinner.wait()
        good &= verdict(f"{options.subject}, {options.repeat} repetitions, {condition}", f"{rules} rules, 0 failing",
                        f"{passed} pass, {bad} failing", bad == 0 and passed > 0)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
