"""What README.md and docs/ tell people to type exists: verbs, options, scripts, figures; and the recipes for CI.

usage: docs_test.py TICKMARK    (called by ctest)
"""
import functools
import pathlib
import re
import subprocess
import sys
import unittest

import yaml

TICKMARK = sys.argv.pop(1)
ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
GENERATED = {"conformance-matrix.md", "fingerprints.md", "findings.md", "kills.md", "acceptor.md", "false-alarms.md"}


def code(text):
    """Fenced and indented blocks line by line (continued lines joined), and inline code."""
    fences = re.findall(r"^```.*?\n(.*?)^```", text, re.M | re.S)
    indented = re.findall(r"^ {4}(\S.*)$", re.sub(r"^```.*?^```", "", text, flags=re.M | re.S), re.M)
    inline = re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.M | re.S))
    return [line for block in fences for line in block.replace("\\\n", " ").splitlines()] + indented + inline


@functools.cache
def options_of(verb):
    done = subprocess.run([TICKMARK, verb, "--help"], capture_output=True, text=True)
    if not re.search(rf"^Usage: \S+ {verb}\b", done.stdout, re.M):  # an unknown verb gets the help of all
        return None
    return set(re.findall(r"(?<![\w-])(--?[a-z][\w-]*)", done.stdout))


def recipes():
    """(its number, its text) of every YAML block in docs/ci.md"""
    return list(enumerate(re.findall(r"^```yaml\n(.*?)^```", (ROOT / "docs" / "ci.md").read_text(), re.M | re.S), 1))


def strings(value):
    """Every string in a parsed document."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return [text for item in value for text in strings(item)]
    return [value] if isinstance(value, str) else []


def mentions(pattern):
    """(page and line, match) of everything in code that looks so."""
    return [(f"{page.name}: {line.strip()}", found) for page in PAGES if page.name not in GENERATED
            for line in code(page.read_text()) for found in re.finditer(pattern, line)]


class Commands(unittest.TestCase):
    def test_verbs_and_their_options_exist(self):
        seen = 0
        for where, found in mentions(r"(?:^|[\s/(])tickmark ([a-z]+)\b(.*)"):
            verb, rest = found.groups()
            with self.subTest(where):
                known = options_of(verb)
                self.assertIsNotNone(known, f"there is no verb '{verb}'")
                rest = rest.split("    ")[0].split(" # ")[0]  # what follows is a word on it
                for option in re.findall(r"(?<![\w'-])(--[a-z][\w-]*)", rest):
                    self.assertIn(option, known, f"tickmark {verb} has no {option}")
                    seen += 1
        self.assertGreater(seen, 30, "the pages name more options than that")

    def test_scripts_and_figures_exist(self):
        for where, found in mentions(r"(?<![\w/.-])(?:\./)?scripts/([\w.-]*\w)(?: ([a-z_]+))?"):
            name, figure = found.groups()
            with self.subTest(where):
                self.assertTrue((ROOT / "scripts" / name).exists(), f"there is no scripts/{name}")
                if name == "prove" and figure:
                    self.assertTrue((ROOT / "scripts" / "figures" / f"{figure}.py").exists(), f"no figure '{figure}'")


class Recipes(unittest.TestCase):
    def test_each_is_yaml(self):
        self.assertGreaterEqual(len(recipes()), 4)
        for number, text in recipes():
            with self.subTest(recipe=number):
                self.assertIsInstance(yaml.safe_load(text), dict)

    def test_what_they_run_is_shell(self):
        for number, text in recipes():
            for script in [s for s in strings(yaml.safe_load(text)) if "tickmark" in s or "make" in s]:
                with self.subTest(recipe=number, script=script):
                    done = subprocess.run(["bash", "-n"], input=script, capture_output=True, text=True)
                    self.assertEqual(done.returncode, 0, done.stderr)

    def test_options_in_them_exist(self):
        seen = 0
        for number, text in recipes():
            for script in strings(yaml.safe_load(text)):
                for command in re.findall(r"tickmark compare\b(.*)", script.replace("\\\n", " "), re.S):
                    for option in re.findall(r"(--[a-z][\w-]*)", command):
                        with self.subTest(recipe=number):
                            self.assertIn(option, options_of("compare"))
                            seen += 1
        self.assertGreaterEqual(seen, 12)

    def test_artifacts_are_what_the_command_writes(self):
        for number, text in recipes():
            written = set(re.findall(r"--(?:junit|summary|output) ([\w.-]+)", text))
            kept = re.findall(r'path: "([^"]+)"', text) + re.findall(r"(?:paths: \[|junit: )([\w., -]+)", text)
            names = {name for listed in kept for name in re.split(r"\\n|, ", listed)}
            with self.subTest(recipe=number):
                self.assertTrue(names)
                self.assertLessEqual(names, written)


if __name__ == "__main__":
    unittest.main()
