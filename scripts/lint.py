"""Runs clang-tidy over the compile commands, in parallel, skipping units that have not changed.

usage: lint.py CLANG_TIDY [--all | FILE...]    (called by scripts/lint)
"""
import concurrent.futures
import hashlib
import json
import os
import pathlib
import shlex
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
CORE = ("reference-loop", "harness/base", "harness/vocabulary", "harness/stats", "harness/load", "harness/subject",
        "workloads", "baselines")
BUILD = ROOT / "build-develop"
STAMPS = BUILD / "lint"


def preprocessed(entry):
    """The unit's text as the compiler sees it: what decides whether it must be linted again."""
    arguments = [a for a in shlex.split(entry["command"]) if "ccache" not in a]
    out = arguments.index("-o")
    command = arguments[:out] + arguments[out + 2 :]
    command.remove("-c")
    done = subprocess.run(command + ["-E", "-P"], cwd=entry["directory"], capture_output=True)
    return done.stdout if done.returncode == 0 else os.urandom(16)


def lint(tidy, entry, salt):
    """(file, output): output is empty for a clean unit."""
    key = hashlib.sha256(salt + preprocessed(entry)).hexdigest()
    stamp = STAMPS / key
    if stamp.exists():
        return entry["file"], ""
    done = subprocess.run(
        [tidy, "--quiet", "-p", str(BUILD), entry["file"]], capture_output=True, text=True
    )
    if done.returncode == 0:
        stamp.touch()
        return entry["file"], ""
    return entry["file"], done.stdout + done.stderr


def main():
    tidy, arguments = sys.argv[1], sys.argv[2:]
    everything = arguments == ["--all"]
    wanted = set() if everything else {str(pathlib.Path(f).resolve()) for f in arguments}

    def is_wanted(source):
        if wanted or everything:
            return everything or str(source) in wanted
        name = source.relative_to(ROOT).as_posix()
        return name.startswith(CORE) and not name.endswith(("_test.cpp", "_bench.cpp"))

    STAMPS.mkdir(parents=True, exist_ok=True)
    salt = (ROOT / ".clang-tidy").read_bytes() + subprocess.run([tidy, "--version"], capture_output=True).stdout
    entries = {}
    for entry in json.loads((BUILD / "compile_commands.json").read_text()):
        source = pathlib.Path(entry["file"])
        # Mutants compile the loop's sources again with a fault switched on; linting them once is enough.
        if ROOT in source.parents and is_wanted(source) and "REFLOOP_MUTANT" not in entry["command"]:
            entries[entry["file"]] = entry
    bad = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for file, output in pool.map(lambda e: lint(tidy, e, salt), entries.values()):
            if output:
                bad += 1
                print(output)
    print(f"lint: {len(entries)} units, {bad} with findings", file=sys.stderr)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
