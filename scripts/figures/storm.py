"""Nobody starves: 5,000 clients connect and talk at once, each is served within 2.5 s, on both backends (1 min).
"""
import argparse
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from common import run_suite, trials, verdict  # noqa: E402

CONNECTIONS = 5000


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--blocks", type=int, default=5)
    options = parser.parse_args()
    good = True
    with run_suite("storm", blocks=options.blocks) as bundle:
        found = trials(bundle)
    for trial in found:
        lane = trial.get("lanes", [{}])[0]
        starved, connected = lane.get("connections_never_served"), lane.get("connections_established")
        good &= verdict(f"{trial['subject']}, block {trial['block']}", f"0 starved of {CONNECTIONS}",
                        f"{starved} of {connected} {trial['reason']}".strip(),
                        starved == 0 and connected == CONNECTIONS)
    return 0 if good and found else 1


if __name__ == "__main__":
    sys.exit(main())
