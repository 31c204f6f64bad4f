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
APART = ROOT / "build-develop"  # compiles every file by itself
JOINED = ROOT / "build-asan-ubsan"  # compiles several as one
STAMPS = APART / "lint"


def preprocessed(entry):
    """The unit's text as the compiler sees it: what decides whether it must be linted again."""
    arguments = [a for a in shlex.split(entry["command"]) if "ccache" not in a]
    out = arguments.index("-o")
    command = arguments[:out] + arguments[out + 2 :]
    command.remove("-c")
    done = subprocess.run(command + ["-E", "-P"], cwd=entry["directory"], capture_output=True)
    return done.stdout if done.returncode == 0 else os.urandom(16)


def lint(tidy, build, entry, salt):
    """(file, output): output is empty for a clean unit."""
    key = hashlib.sha256(salt + preprocessed(entry)).hexdigest()
    stamp = STAMPS / key
    if stamp.exists():
        return entry["file"], ""
    # The commands are g++'s: what only it understands is no finding.
    done = subprocess.run([tidy, "--quiet", "-p", str(build), "--extra-arg=-Wno-unused-command-line-argument",
                           entry["file"]], capture_output=True, text=True)
    if done.returncode == 0:
        stamp.touch()
        return entry["file"], ""
    return entry["file"], done.stdout + done.stderr


def sources_of(entry):
    """The files of the repository that the unit compiles: one, or those that a joined unit includes."""
    file = pathlib.Path(entry["file"])
    if "Unity" not in file.parts:
        return [file]
    return [pathlib.Path(line.split('"')[1]) for line in file.read_text().splitlines() if line.startswith("#include")]


def is_core(source):
    name = source.relative_to(ROOT).as_posix()
    return name.startswith(CORE) and not name.endswith(("_test.cpp", "_bench.cpp"))


def units(build, is_wanted):
    """The compile commands of the wanted sources, each source in one of them."""
    chosen = {}
    seen = set()
    for entry in json.loads((build / "compile_commands.json").read_text()):
        # Mutants compile the loop's sources again with a fault switched on; linting them once is enough.
        if "REFLOOP_MUTABLE" in entry["command"]:
            continue
        sources = [s for s in sources_of(entry) if ROOT in s.parents and is_wanted(s)]
        if set(sources) - seen:
            seen.update(sources)
            chosen[entry["file"]] = entry
    return list(chosen.values())


def main():
    tidy, arguments = sys.argv[1], sys.argv[2:]
    if not arguments:
        build, is_wanted = JOINED, is_core
    elif arguments == ["--all"]:
        build, is_wanted = APART, lambda source: True
    else:
        named = {pathlib.Path(f).resolve() for f in arguments}
        build, is_wanted = APART, lambda source: source in named

    STAMPS.mkdir(parents=True, exist_ok=True)
    salt = (ROOT / ".clang-tidy").read_bytes() + subprocess.run([tidy, "--version"], capture_output=True).stdout
    entries = units(build, is_wanted)
    bad = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for file, output in pool.map(lambda e: lint(tidy, build, e, salt), entries):
            if output:
                bad += 1
                print(output)
    print(f"lint: {len(entries)} units, {bad} with findings", file=sys.stderr)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
