"""The gate that counts, under the real tools.

usage: counted_contract_test.py TICKMARK    (called by ctest; 77: skipped, and the sentence why)
"""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

TICKMARK = sys.argv.pop(1)
SKIPPED = 77

# strace as long as it is looked at, and dead as soon as it is to count a subject.
DYING_STRACE = """#!/bin/sh
case "$*" in *serve*) kill -9 $$ ;; esac
exec {strace} "$@"
"""


def tickmark(*arguments, **options):
    return subprocess.run([TICKMARK, *arguments], capture_output=True, text=True, stdin=subprocess.DEVNULL,
                          timeout=120, **options)


def why_skipped():
    """None, or the sentence."""
    if b"__asan_init" in pathlib.Path(TICKMARK).read_bytes():
        return "a sanitizer's runtime and valgrind do not go together"
    missing = [tool for tool in ("valgrind", "strace") if not shutil.which(tool)]
    return f"{' and '.join(missing)} missing; run scripts/install-dependencies --test" if missing else None


class Counted(unittest.TestCase):
    """The same program under two names, one that executes more, and tools that fail."""

    def counted(self, baseline, candidate, requests, **options):
        folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        done = tickmark("compare", baseline, candidate, "--gate", "counted", "--workload", "sockets",
                        "--requests", requests, "--output", str(folder / "bundle"), "--junit",
                        str(folder / "junit.xml"), "--summary", str(folder / "summary.md"), "--json", **options)
        self.assertTrue(done.stdout, done.stderr)
        result = json.loads(done.stdout)
        self.assertEqual(result, json.loads((folder / "bundle" / "counted.json").read_text()))
        self.assertEqual(result["exit_code"], done.returncode)
        return result, {metric["metric"]: metric for metric in result["metrics"]}, folder

    def same_program(self, **options):
        own = pathlib.Path(TICKMARK).parent / "bin" / "subject_raw_epoll"
        return self.counted("raw_epoll", f"raw_epoll:binary={own}", "1000", **options)

    def test_the_same_program_counts_the_same(self):
        result, metrics, folder = self.same_program()
        self.assertEqual(result["verdict"], "OK", result)
        for metric in metrics.values():
            self.assertEqual(f"{metric['ratio']:.3f}", "1.000")
        self.assertIn("kernel", result["not_seen"])
        self.assertIn("events: Ir", (folder / "bundle" / "sockets.candidate.callgrind").read_text())
        self.assertNotIn("<failure", (folder / "junit.xml").read_text())

    def test_more_instructions_are_seen_and_counted(self):
        result, metrics, folder = self.counted("reference_loop", "reference_loop:slowdown=200i", "3000")
        self.assertEqual(result["verdict"], "REGRESSION", result)
        instructions, calls = metrics["instructions_per_request"], metrics["system_calls_per_request"]
        more = instructions["candidate"][0] - instructions["baseline"][0]
        self.assertTrue(200 <= more <= 260, f"200 instructions and the way to them, seen {more}")
        self.assertEqual((instructions["verdict"], calls["verdict"]), ("REGRESSION", "OK"))
        self.assertIn('failures="1"', (folder / "junit.xml").read_text())
        self.assertIn("Not seen by counting", (folder / "summary.md").read_text())

    def test_a_tool_that_fails_amid_a_count_voids_its_metric_and_no_other(self):
        tools = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        (tools / "strace").write_text(DYING_STRACE.format(strace=shutil.which("strace")))
        (tools / "strace").chmod(0o755)
        result, metrics, _ = self.same_program(env={**os.environ, "PATH": f"{tools}:{os.environ['PATH']}"})
        self.assertEqual((result["verdict"], result["exit_code"]), ("INCONCLUSIVE", 4), result)
        calls, instructions = metrics["system_calls_per_request"], metrics["instructions_per_request"]
        self.assertEqual((calls["valid"], instructions["verdict"]), (False, "OK"), result)
        self.assertIn("so this is strace failing", calls["reason"])

    def test_a_subject_that_the_tool_cannot_run_is_told_in_one_sentence_and_its_system_calls_are_counted(self):
        own = pathlib.Path(TICKMARK).parent / "bin" / "subject_cluster"
        result, metrics, _ = self.counted("cluster", f"cluster:binary={own}", "10000")
        instructions, calls = metrics["instructions_per_request"], metrics["system_calls_per_request"]
        self.assertEqual(calls["verdict"], "OK", result)
        if not instructions["valid"]:  # a newer valgrind knows pidfd_open
            self.assertEqual(result["exit_code"], 4, result)
            self.assertRegex(instructions["reason"],
                             "says nothing of either: cluster makes system call 434, which this valgrind does not "
                             "know, so its instructions cannot be counted here; a newer valgrind may know it$")

    def test_without_the_tool_it_says_what_to_install(self):
        with tempfile.TemporaryDirectory() as folder:
            done = tickmark("compare", "raw_epoll", "reference_loop", "--gate", "counted", cwd=folder,
                            env={**os.environ, "PATH": "/nonexistent"})
            self.assertEqual(done.returncode, 3, done.stderr)
            self.assertIn("scripts/install-dependencies --test", done.stderr)
            self.assertEqual(os.listdir(folder), [])


if __name__ == "__main__":
    if why := why_skipped():
        print(f"skipped: {why}")
        sys.exit(SKIPPED)
    unittest.main()
