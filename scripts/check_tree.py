"""Checks what the tree promises of itself, from the files alone.

    check_tree               every check over the files git knows (and new ones it does not ignore)
    check_tree --self-test   every check on a small sin it must find: a check that cannot fail is none

Who may include whom (the table of ARCHITECTURE.md), size budgets, metadata of rules, workloads, subjects,
suites and charts, paths of a particular machine, registry addresses, formatting, shell scripts.
Exit codes: 0 clean, 1 findings, 2 usage.
"""
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import yaml

ROOT = pathlib.Path(__file__).resolve().parent.parent

FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 80
LINE_COLUMNS_MAX = 120

NOT_FUNCTIONS = "namespace|struct|class|enum|union|extern|using|#"

CODE = {".cpp", ".h", ".py", ".cjs", ".mjs", ".js", ".sh"}

SHARED_BY_WORKLOADS = ["workloads/parameters.h", "workloads/query.h", "workloads/table_client.h"]

# folder -> prefixes of ours it may include. The longest matching folder wins.
INCLUDES = {
    "reference-loop/http_parser": [],
    "reference-loop/http_session": ["reference-loop/http_parser/"],
    "reference-loop": ["reference-loop/"],
    "harness/base": ["harness/base/"],
    "harness/vocabulary": ["harness/base/", "harness/vocabulary/"],
    "harness/stats": ["harness/base/", "harness/stats/"],
    "harness/load": ["harness/base/", "harness/vocabulary/", "harness/stats/", "harness/load/"],
    "harness/subject": ["harness/base/", "harness/vocabulary/", "harness/subject/", "reference-loop/http_session/"],
    "harness/process": ["harness/base/", "harness/vocabulary/", "harness/process/"],
    "harness/output": ["harness/base/", "harness/vocabulary/", "harness/stats/", "harness/output/"],
    "harness/run": ["harness/base/", "harness/vocabulary/", "harness/stats/", "harness/load/", "harness/process/",
                    "harness/output/", "harness/run/"],
    "harness/cli": ["harness/", "conformance/oracle/", "conformance/programs/"],
    # Not each other: what the halves share lies beside their folders.
    "workloads": ["harness/base/", "harness/vocabulary/", *SHARED_BY_WORKLOADS],
    "baselines": ["harness/base/", "harness/vocabulary/", "harness/subject/", "conformance/players/"],
    "baselines/reference_loop": ["harness/base/", "harness/vocabulary/", "harness/subject/", "conformance/players/",
                                 "reference-loop/", "baselines/reference_loop/"],
    # The same source on another libuv.
    "baselines/libuv_modern": ["baselines/libuv/", "baselines/libuv_modern/"],
    # The cluster is the reference loop N times.
    "baselines/cluster": ["harness/base/", "harness/vocabulary/", "harness/subject/", "reference-loop/",
                          "baselines/reference_loop/", "baselines/cluster/"],
    "conformance/oracle": ["harness/base/", "harness/vocabulary/", "conformance/oracle/"],
    "conformance/players": ["harness/base/", "harness/vocabulary/", "harness/subject/", "reference-loop/",
                            "conformance/players/", "conformance/programs/"],
    "conformance/programs": ["harness/base/", "conformance/programs/"],
    "conformance/mutants": ["harness/base/", "harness/vocabulary/", "conformance/oracle/", "conformance/mutants/"],
}
# A test may also use what it tests through: workload halves meet in the session layer.
TEST_EXTRA = {
    "workloads": ["harness/subject/", "workloads/"],
    "harness/load": ["workloads/"],
    "baselines": ["harness/process/", "harness/load/", "harness/stats/"],
    "conformance/players": ["conformance/oracle/"],
    "conformance/oracle": ["conformance/players/"],
}


class Tree:
    """The files under check: {relative path: text}; binary files are left out."""

    def __init__(self, files):
        self.files = files

    @classmethod
    def of_git(cls):
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT, capture_output=True, check=True,
        ).stdout.decode()
        files = {}
        for name in filter(None, listed.split("\0")):
            path = ROOT / name
            if not path.is_file():
                continue
            data = path.read_bytes()
            if b"\0" not in data:
                files[name] = data.decode("utf-8", "replace")
        return cls(files)


def is_code(name):
    return pathlib.PurePath(name).suffix in CODE or name.startswith("scripts/") and "." not in name


def check_includes(tree):
    for name, text in tree.files.items():
        if not name.endswith((".cpp", ".h")):
            continue
        folder = max((f for f in INCLUDES if name.startswith(f + "/")), key=len, default=None)
        if folder is None:
            continue
        allowed = INCLUDES[folder] + [str(pathlib.PurePath(name).parent) + "/"]
        if re.search(r"_(test|bench|fuzz|main)\.cpp$|/test_", name):
            allowed = allowed + TEST_EXTRA.get(folder, [])
        for number, line in enumerate(text.splitlines(), 1):
            match = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
            if match and not any(match[1].startswith(a) for a in allowed):
                yield f'{name}:{number}: {folder} may not include "{match[1]}"; allowed: {", ".join(allowed)}'


def check_sizes(tree):
    for name, text in tree.files.items():
        if not is_code(name):
            continue
        lines = text.splitlines()
        if len(lines) > FILE_LINES_MAX:
            yield f"{name}: {len(lines)} lines, at most {FILE_LINES_MAX}; split it by noun"
        for number, line in enumerate(lines, 1):
            if len(line) > LINE_COLUMNS_MAX and "http" not in line:
                yield f"{name}:{number}: {len(line)} columns, at most {LINE_COLUMNS_MAX}"
        if name.endswith((".cpp", ".h")):
            yield from long_functions(name, lines)


def long_functions(name, lines):
    """clang-format puts a function's closing brace into the column of its first line; that is the heuristic."""
    start = None
    for number, line in enumerate(lines, 1):
        opens = re.match(rf"^( {{0,2}})(?!{NOT_FUNCTIONS})[A-Za-z_~].*[)a-z>] (const )?(override )?{{$", line)
        if opens and start is None:
            start, indent = number, opens[1]
        elif start is not None and line.startswith(indent + "}"):
            if number - start + 1 > FUNCTION_LINES_MAX:
                yield f"{name}:{start}: a function of {number - start + 1} lines, at most {FUNCTION_LINES_MAX}"
            start = None


def needs(name, text, keys):
    try:
        data = yaml.safe_load(text)
    except yaml.YAMLError as error:
        yield f"{name}: not YAML: {error}"
        return
    if not isinstance(data, dict):
        yield f"{name}: expected a mapping at the top"
        return
    for key in keys:
        if not data.get(key):
            yield f"{name}: '{key}' is missing or empty"


def check_metadata(tree):
    for name, text in tree.files.items():
        if re.fullmatch(r"conformance/rules/.+\.yaml", name):
            yield from needs(name, text, ["says", "level", "layer", "source"])
        elif re.fullmatch(r"workloads/[^/]+/spec\.yaml", name):
            yield from needs(name, text, ["title", "says", "kind", "placement", "not_told"])
            folder = name.rsplit("/", 1)[0]
            for half in ("service.cpp", "client.cpp", "service.cjs"):
                if f"{folder}/{half}" not in tree.files:
                    yield f"{folder}: {half} is missing; a workload has its halves side by side"
        elif re.fullmatch(r"baselines/[^/]+/subject\.yaml", name):
            yield from needs(name, text, ["title", "says", "colour", "command"])
        elif re.fullmatch(r"reports/.*charts/[a-z]\w*\.py", name):
            if not re.match(r'\s*"""[^"]{20,}', text):
                yield f"{name}: a chart opens with a docstring that says what the reader decides from it"


def check_machine(tree):
    machine = re.compile(r"(?<![\w.])/(?:work|farm|root|home)/\w|/tmp/bash_jobs|bash_jobs\.")
    registry = re.compile(r"registry\.npm" + r"js|deb\.deb" + r"ian\.org")
    for name, text in tree.files.items():
        for number, line in enumerate(text.splitlines(), 1):
            if machine.search(line) and not name.startswith("scripts/check_tree"):
                yield f"{name}:{number}: a path of a particular machine: {line.strip()[:80]}"
            if registry.search(line):
                yield f"{name}:{number}: a registry's address: {line.strip()[:80]}"


def check_marks(tree):
    mark = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X)\b")
    for name, text in tree.files.items():
        if is_code(name):
            for number, line in enumerate(text.splitlines(), 1):
                if mark.search(line):
                    yield f"{name}:{number}: an unfinished mark; finish it or write down the limit"


def check_format(tree, formatter="clang-format-14"):
    names = [n for n in tree.files if n.endswith((".cpp", ".h"))]
    if not names:
        return
    if not shutil.which(formatter):
        yield f"{formatter} is not installed; run scripts/install-dependencies --test"
        return
    with tempfile.TemporaryDirectory() as folder:
        base = pathlib.Path(folder)
        (base / ".clang-format").write_text((ROOT / ".clang-format").read_text())
        for name in names:
            (base / name).parent.mkdir(parents=True, exist_ok=True)
            (base / name).write_text(tree.files[name])
        done = subprocess.run([formatter, "--dry-run", *names], cwd=base, capture_output=True, text=True)
        complaints = [line for line in done.stderr.splitlines() if "clang-format-violations" in line]
        for name in sorted({line.split(":")[0] for line in complaints}):
            yield f"{name}: not formatted; run {formatter} -i {name}"


def check_shell(tree):
    names = [n for n, text in tree.files.items() if re.match(r"#!.*\b(ba)?sh\b", text)]
    if not shutil.which("shellcheck"):
        yield "shellcheck is not installed; run scripts/install-dependencies --test"
        return
    for name in names:
        done = subprocess.run(["shellcheck", "-s", "bash", "-"], input=tree.files[name], capture_output=True, text=True)
        if done.returncode:
            yield f"{name}: shellcheck:\n{done.stdout.strip()}"


CHECKS = [check_includes, check_sizes, check_metadata, check_machine, check_marks, check_format, check_shell]

LONG = "int f(int a) {\n" + "  a += 1;\n" * FUNCTION_LINES_MAX + "}\n"
SINS = [
    (check_includes, {"harness/stats/x.cpp": '#include "harness/load/load.h"\n'}),
    (check_includes, {"reference-loop/x.cpp": '#include "harness/base/time.h"\n'}),
    (check_includes, {"harness/load/x_test.cpp": '#include "reference-loop/loop.h"\n'}),
    (check_sizes, {"harness/base/x.h": "\n" * (FILE_LINES_MAX + 1)}),
    (check_sizes, {"harness/base/x.cpp": LONG}),
    (check_sizes, {"reports/x.py": "a = 1  # " + "x" * LINE_COLUMNS_MAX + "\n"}),
    (check_metadata, {"conformance/rules/timers/x.yaml": "says: x\nlevel: must\nlayer: loop\n"}),
    (check_metadata, {"workloads/x/spec.yaml": "title: x\nsays: x\nkind: http\nplacement: shared\nnot_told: x\n"}),
    (check_metadata, {"baselines/x/subject.yaml": "title: x\n"}),
    (check_metadata, {"reports/tickmark_report/charts/x.py": "import os\n"}),
    (check_machine, {"docs/x.md": "see /wo" + "rk/main\n"}),
    (check_machine, {"package-lock.json": "https://registry.npm" + "js.org/x\n"}),
    (check_marks, {"harness/base/x.h": "// TO" + "DO: later\n"}),
    (check_format, {"harness/base/x.h": "int  x ;\n"}),
    (check_shell, {"scripts/x": "#!/usr/bin/env bash\ncd $1\n"}),
]


def self_test():
    missed = 0
    for check, files in SINS:
        if not list(check(Tree(files))):
            print(f"check_tree --self-test: {check.__name__} does not find {files}", file=sys.stderr)
            missed += 1
    print(f"check_tree --self-test: {len(SINS) - missed} of {len(SINS)} sins found", file=sys.stderr)
    return 1 if missed else 0


def main(arguments):
    if arguments == ["--self-test"]:
        return self_test()
    if arguments:
        print(f"check_tree: unknown argument '{arguments[0]}'; expected --self-test or nothing", file=sys.stderr)
        return 2
    tree = Tree.of_git()
    findings = [finding for check in CHECKS for finding in check(tree)]
    for finding in findings:
        print(finding)
    print(f"check_tree: {len(tree.files)} files, {len(findings)} findings", file=sys.stderr)
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
