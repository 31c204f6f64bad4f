"""What the tests share: bundles made once per process, copies to break, and the report run as a program."""
import atexit
import contextlib
import functools
import io
import json
import os
import pathlib
import shutil
import subprocess
import tempfile

import synthetic

PROGRAM = pathlib.Path(__file__).resolve().parent.parent / "report.py"
_SCRATCH = pathlib.Path(tempfile.mkdtemp(prefix="tickmark-report-test-"))
atexit.register(shutil.rmtree, _SCRATCH, ignore_errors=True)


@functools.cache
def whole():
    """The synthetic bundle of seven subjects; do not write into it."""
    return synthetic.write(_SCRATCH / "whole")


def scratch():
    return pathlib.Path(tempfile.mkdtemp(dir=_SCRATCH))


def copy():
    """A copy of the whole bundle to break."""
    return pathlib.Path(shutil.copytree(whole(), scratch() / "bundle"))


def run(*arguments, environment=None):
    """report.py as `tickmark report` runs it."""
    return subprocess.run(["/usr/bin/python3", "-I", str(PROGRAM), *map(str, arguments)], capture_output=True,
                          text=True, timeout=200, env={**os.environ, **(environment or {})})


def run_here(*arguments):
    """The same within this process: (exit code, stdout, stderr). Saves a second of imports per bundle."""
    import report as program
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = program.main([str(argument) for argument in arguments])
        except SystemExit as exit_:
            code = exit_.code
    return code, out.getvalue(), err.getvalue()


@functools.cache
def report():
    """(output folder, finished process) of one full report of whole()."""
    output = scratch()
    return output, run(whole(), "--output", output)


def records(folder, name):
    return [json.loads(line) for line in (folder / name).read_text().splitlines()]


def write_records(folder, name, found):
    (folder / name).write_text("".join(json.dumps(record) + "\n" for record in found))


def edit(folder, name, change):
    """Lets `change` alter a document in place."""
    document = json.loads((folder / name).read_text())
    change(document)
    (folder / name).write_text(json.dumps(document))
