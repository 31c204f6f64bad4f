"""The command line as README.md promises it: one sentence on stderr, the documented exit code, nothing half-written.

usage: contract_test.py TICKMARK    (called by ctest)
"""
import json
import os
import pathlib
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import unittest

TICKMARK = sys.argv.pop(1)


def tickmark(*arguments, **options):
    return subprocess.run([TICKMARK, *arguments], capture_output=True, text=True, stdin=subprocess.DEVNULL,
                          timeout=120, **options)


class Refusals(unittest.TestCase):
    """Bad input: (arguments, exit code, what the sentence must name)."""

    CASES = [
        (["frob"], 2, "frob"),
        (["run", "nod"], 2, "did you mean 'node'"),
        (["run", "Node"], 2, "'Node'"),
        (["run", "libuv:wirte=try"], 2, "did you mean 'write'"),
        (["run", "--suite", "nope"], 2, "quick"),
        (["run", "--workload", "nope"], 2, "sockets"),
        (["run", "--rate", "-5"], 2, "'-5'"),
        (["run", "--rate", "fast"], 2, "'fast'"),
        (["run", "--duration", "3"], 2, "'3'"),
        (["run", "--connections", "0"], 2, "--connections"),
        (["run", "--plan", "/nonexistent/plan.json"], 2, "/nonexistent/plan.json"),
        (["report", "/nonexistent"], 2, "/nonexistent"),
        (["report", "/etc"], 2, "plan.json"),
        (["load", "http://127.0.0.1:1/"], 2, "--rate"),
        (["load", "http://127.0.0.1:1/", "--rate", "0"], 2, "'0'"),
        (["load", "http://127.0.0.1:1/", "--rate", "5", "--closed"], 2, "--closed"),
        (["load", "http://127.0.0.1:1/", "--find-max", "p99<10ms", "--closed"], 2, "--find-max"),
        (["load", "http://127.0.0.1:1/", "--find-max", "fast"], 2, "'fast'"),
        (["load", "http://127.0.0.1:1/", "--find-max", "p99<10"], 2, "'10'"),
        (["load", "http://127.0.0.1:99999/", "--closed"], 2, "99999"),
        (["load", "ftp://127.0.0.1/", "--closed"], 2, "ftp"),
        (["load", "tcp://127.0.0.1:1", "--closed"], 2, "--workload"),
        (["load", "http://127.0.0.1:1/", "--closed", "--workload", "sockets"], 2, "tcp://"),
        (["load", "http://127.0.0.1:1/", "--closed", "--duration", "1s"], 3, "127.0.0.1:1"),
        (["serve", "nope", "--workload", "sockets"], 2, "'nope'"),
        (["serve", "raw_epoll", "--workload", "fs"], 2, "fs"),
        (["serve", "raw_epoll"], 2, "--workload"),
        (["conform", "reference_loop", "--rule", "nope"], 2, "'nope'"),
        (["conform", "reference_loop", "--as", "libuv"], 2, "libuv"),
        (["compare", "raw_epoll"], 2, "candidate"),
        (["compare", "raw_epoll", "raw_epol"], 2, "did you mean 'raw_epoll'"),
        (["compare", "raw_epoll", "raw_epoll"], 2, "another name"),
        (["compare", "raw_epoll", "/etc"], 2, "'/etc' is a folder"),
        (["compare", "/etc", "/usr"], 2, "plan.json"),
        (["compare", "raw_epoll", "node:binary=/nonexistent/node"], 3, "/nonexistent/node"),
        (["compare", "raw_epoll", "reference_loop", "--workload", "hello"], 2, "--workload hello"),
        (["compare", "raw_epoll", "reference_loop", "--gate", "wide"], 2, "wide"),
        (["compare", "raw_epoll", "reference_loop:slowdown=abc"], 2, "slowdown=abc: expected a percentage"),
        (["run", "reference_loop:slowdown=200", "--suite", "smoke"], 2, "slowdown=200: expected a percentage"),
        (["compare", "reference_loop", "node", "--gate", "counted"], 2, "just-in-time"),
        (["compare", "raw_epoll", "reference_loop", "--gate", "counted", "--workload", "hello"], 2, "--workload hello"),
        (["compare", "raw_epoll", "reference_loop", "--gate", "counted", "--rate", "5"], 2, "--rate"),
        (["compare", "raw_epoll", "reference_loop", "--requests", "5000"], 2, "--gate counted"),
        (["compare", "raw_epoll", "reference_loop", "--gate", "counted", "--requests", "10"], 2, "--requests"),
        (["compare", "/etc", "/usr", "--gate", "counted"], 2, "'/etc' is a folder"),
        (["compare", "raw_epoll", "raw_epoll:binary=/nonexistent/it", "--gate", "counted"], 3, "/nonexistent/it"),
        (["history", "/nonexistent.jsonl"], 2, "/nonexistent.jsonl"),
        (["history", "/etc/passwd"], 2, "is no history"),
        (["run", "raw_epoll", "--suite", "smoke", "--history", "/nonexistent/h.jsonl"], 3, "/nonexistent/h.jsonl"),
        (["fuzz", "nope"], 2, "'nope'"),
        (["fuzz", "reference_loop", "--program", "/nonexistent.json"], 2, "/nonexistent.json"),
        (["fuzz", "reference_loop", "--programs", "0"], 2, "--programs"),
        (["list", "nope"], 2, "nope"),
        (["doctor", "--config", "/nonexistent.toml"], 2, "/nonexistent.toml"),
    ]

    def test_bad_input_gets_one_sentence_and_its_exit_code(self):
        with tempfile.TemporaryDirectory() as folder:
            for arguments, code, named in self.CASES:
                with self.subTest(arguments=arguments):
                    done = tickmark(*arguments, cwd=folder)
                    self.assertEqual(done.returncode, code, done.stderr)
                    self.assertIn(named, done.stderr)
                    self.assertEqual(done.stdout, "")
                    self.assertEqual(len(done.stderr.strip().splitlines()), 1, done.stderr)
                    self.assertEqual(os.listdir(folder), [], "something was written")

    def test_unknown_keys_and_variables_are_errors(self):
        with tempfile.TemporaryDirectory() as folder:
            pathlib.Path(folder, "tickmark.toml").write_text("conections = 3\n")
            done = tickmark("list", cwd=folder)
            self.assertEqual((done.returncode, "did you mean 'connections'" in done.stderr), (2, True), done.stderr)
        done = tickmark("list", env={**os.environ, "TICKMARK_SIUTE": "smoke"})
        self.assertEqual((done.returncode, "TICKMARK_SUITE" in done.stderr), (2, True), done.stderr)

    def test_too_few_descriptors_are_named_before_anything_is_written(self):
        def lower():
            resource.setrlimit(resource.RLIMIT_NOFILE, (1024, 1024))

        with tempfile.TemporaryDirectory() as folder:
            bundle = pathlib.Path(folder, "bundle")
            done = tickmark("run", "raw_epoll", "--suite", "loop_cost_epoll", "--output", str(bundle), preexec_fn=lower)
            self.assertIn(done.returncode, (0, 3), done.stderr)
            self.assertIn("1024", done.stderr)
            done = tickmark("load", "tcp://127.0.0.1:1", "--workload", "sockets", "--connections", "5000", "--closed",
                            preexec_fn=lower)
            self.assertEqual(done.returncode, 3)
            self.assertIn("5256", done.stderr)

    def test_a_port_in_use_is_named(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = str(taken.getsockname()[1])
            done = tickmark("serve", "raw_epoll", "--workload", "sockets", "--port", port)
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertIn(port, done.stderr)

    def test_what_is_not_installed_is_skipped_with_the_reason(self):
        for verb in (["conform"], ["run", "--suite", "smoke"]):
            done = tickmark(verb[0], "node:binary=/nonexistent/node", *verb[1:])
            self.assertEqual(done.returncode, 77, done.stderr)
            self.assertIn("/nonexistent/node", done.stderr)


class Data(unittest.TestCase):
    """What goes to stdout."""

    def test_json_is_one_document(self):
        for arguments in (["list", "subjects"], ["list", "workloads"], ["list", "rules"], ["doctor"]):
            with self.subTest(arguments=arguments):
                done = tickmark(*arguments, "--json")
                self.assertIn(done.returncode, (0, 3))
                self.assertTrue(json.loads(done.stdout)["schema"].startswith("tickmark."))

    def test_a_dry_run_prints_the_plan_and_writes_nothing(self):
        with tempfile.TemporaryDirectory() as folder:
            done = tickmark("run", "--suite", "quick", "--seed", "7", "--dry-run", "--json", cwd=folder)
            self.assertEqual(done.returncode, 0, done.stderr)
            plan = json.loads(done.stdout)
            self.assertLessEqual(plan["estimated_measured_s"], 480)
            self.assertEqual(plan["seed"], 7)
            self.assertEqual(os.listdir(folder), [])

    def test_a_load_on_a_served_subject_adds_up(self):
        folder = self.enterContext(tempfile.TemporaryDirectory())
        hlog = pathlib.Path(folder, "load.hlog")
        server = subprocess.Popen([TICKMARK, "serve", "raw_epoll", "--workload", "sockets"], stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE, text=True)
        try:
            port = json.loads(server.stdout.readline())["ready"]["port"]
            done = tickmark("load", f"tcp://127.0.0.1:{port}", "--workload", "sockets", "--rate", "500",
                            "--connections", "20", "--duration", "500ms", "--warmup", "100ms", "--json",
                            "--hlog", str(hlog))
        finally:
            rest = server.communicate(timeout=20)[0]
        report = json.loads(done.stdout)
        fates = sum(report[key] for key in ("completed", "errors", "timeouts", "in_flight", "unsent"))
        self.assertEqual(report["scheduled"], fates)
        self.assertGreater(report["completed"], 0)
        self.assertEqual(report["wrong_replies"], 0)
        self.assertEqual(report["response_time_ns"]["count"], report["completed"])
        self.assertEqual(server.returncode, 0)
        self.assertIn("final", json.loads(rest))
        self.assertIn("Tag=main.response,", hlog.read_text())

    def test_the_highest_rate_is_an_interval_of_loads(self):
        server = subprocess.Popen([TICKMARK, "serve", "raw_epoll", "--workload", "sockets"], stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE, text=True)
        try:
            port = json.loads(server.stdout.readline())["ready"]["port"]
            # Nothing answers within a microsecond: the search goes down to where too few requests are left.
            done = tickmark("load", f"tcp://127.0.0.1:{port}", "--workload", "sockets", "--find-max", "p50<1us",
                            "--connections", "4", "--duration", "200ms", "--warmup", "50ms", "--json")
        finally:
            server.communicate(timeout=20)
        self.assertEqual(done.returncode, 4, done.stderr)
        knee = json.loads(done.stdout)
        self.assertEqual(knee["schema"], "tickmark.knee/1")
        self.assertIsNone(knee["kept_rate_per_s"])
        self.assertEqual(knee["loads"][0]["rate_per_s"], 1000)
        self.assertIn(knee["loads"][-1]["outcome"], ("void", "broken"))

    def test_conform_prints_the_verdicts(self):
        with tempfile.TemporaryDirectory() as folder:
            junit = pathlib.Path(folder, "out.xml")
            done = tickmark("conform", "reference_loop", "--rule", "ticks", "--repeat", "2", "--json", "--junit",
                            str(junit))
            self.assertEqual(done.returncode, 0, done.stderr)
            rules = json.loads(done.stdout)["rules"]
            self.assertGreater(len(rules), 3)
            self.assertEqual({rule["verdict"] for rule in rules if rule["level"] == "must"}, {"pass"})
            self.assertIn("<testsuite name=\"reference_loop\"", junit.read_text())
        done = tickmark("conform", "libuv", "--rule", "timers", "--repeat", "2", "--as", "libuv@1.52", "--tap")
        self.assertEqual(done.returncode, 1, "a library of 1.44 must break rules of 1.48")
        self.assertIn("not ok", done.stdout)

    def test_the_command_that_reproduces_a_failure_works_as_it_is_printed(self):
        done = tickmark("conform", "libuv", "--rule", "loop/nowait_runs_timers_last", "--repeat", "2", "--as",
                        "libuv@1.52")
        printed = done.stdout.split("reproduce: ")[1].splitlines()[0]
        self.assertIn("--as libuv@1.52", printed)
        nobody_else = {**os.environ, "PATH": "/usr/bin:/bin"}  # a tickmark that is installed must not answer
        again = subprocess.run(printed, shell=True, capture_output=True, text=True, timeout=120, env=nobody_else)
        self.assertEqual(again.returncode, 1, printed + again.stderr)
        self.assertIn("fail libuv: loop/nowait_runs_timers_last", again.stdout)

    def test_conform_judges_on_the_wire_what_has_no_player(self):
        rule = "wire/end_comes_after_the_last_byte"
        done = tickmark("conform", "raw_epoll", "--rule", rule, "--rule", "ticks", "--repeat", "2", "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual([(r["rule"], r["verdict"]) for r in json.loads(done.stdout)["rules"]], [(rule, "pass")])


class Compare(unittest.TestCase):
    """Two subjects, short trials: a slowdown nobody can miss, and the files a CI wants."""

    def compare(self, *arguments):
        folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        done = tickmark("compare", *arguments, "--connections", "100", "--rate", "2000", "--duration", "100ms",
                        "--seed", "3", "--output", str(folder / "bundle"), "--junit", str(folder / "junit.xml"),
                        "--summary", str(folder / "summary.md"), "--json")
        return done, folder

    def test_a_doubled_cost_is_a_confirmed_regression(self):
        done, folder = self.compare("reference_loop", "reference_loop:slowdown=100%")
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        result = json.loads(done.stdout)
        self.assertEqual(result, json.loads((folder / "bundle" / "gate.json").read_text()))
        cpu = result["metrics"][0]
        self.assertEqual((result["verdict"], cpu["metric"], cpu["verdict"]),
                         ("REGRESSION", "cpu_ns_per_request", "REGRESSION"))
        self.assertGreater(cpu["slowdown"], 0.5)
        self.assertGreaterEqual(cpu["confirmation"]["blocks"], 12)
        plan = json.loads((folder / "bundle" / "plan.json").read_text())
        self.assertEqual(plan["gate"]["looks"], [12, 20, 30])
        trials = [json.loads(line) for line in (folder / "bundle" / "trials.ndjson").read_text().splitlines()]
        second_stage = plan["gate"]["stages"][1]["first_block"]
        self.assertTrue(any(trial["block"] >= second_stage for trial in trials))
        for block in {trial["block"] for trial in trials}:
            seeds = {trial["seed"] for trial in trials if trial["block"] == block}
            self.assertEqual(len(seeds), 1, "both arms of a block get the same arrivals")
        self.assertIn("<failure", (folder / "junit.xml").read_text())
        self.assertIn("REGRESSION", (folder / "summary.md").read_text())
        self.assertNotIn("\x1b", done.stderr)

    def test_quiet_says_nothing_and_the_verdict_is_one_of_three(self):
        done, _ = self.compare("raw_epoll", "reference_loop", "--quiet", "--no-confirm")
        self.assertIn(done.returncode, (0, 1, 4), done.stderr)
        self.assertEqual(done.stderr, "")
        result = json.loads(done.stdout)
        self.assertEqual(result["exit_code"], done.returncode)
        self.assertEqual({"OK": 0, "REGRESSION": 1, "INCONCLUSIVE": 4}[result["verdict"]], done.returncode)


class History(unittest.TestCase):
    """From a run to a line, from lines to a chart."""

    def test_a_run_adds_a_line_and_only_where_it_is_told_to(self):
        folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        file = folder / "history.jsonl"
        for number in range(2):
            done = tickmark("run", "raw_epoll", "thread_per_connection", "--suite", "smoke", "--workload", "sockets",
                            "--connections", "8", "--rate", "1000", "--duration", "100ms", "--no-conform",
                            "--no-report", "--history", str(file), "--output", str(folder / f"b{number}"))
            self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(sorted(os.listdir(folder)), ["b0", "b1", "history.jsonl"])
        comparable = json.loads((folder / "b0" / "machine.json").read_text())["comparable"]
        if not comparable:  # a sanitized build, say
            self.assertEqual((file.read_text(), "not added to the history" in done.stderr), ("", True), done.stderr)
            return
        lines = [json.loads(line) for line in file.read_text().splitlines()]
        self.assertEqual({(line["schema"], line["cells"][0]["canary"]) for line in lines},
                         {("tickmark.history/1", "raw_epoll")})
        file.write_text(file.read_text() + "half a li")
        done = tickmark("history", str(file), "--metric", "cpu", "--json", "--chart", str(folder / "h.svg"))
        self.assertEqual(done.returncode, 0, done.stderr)
        document = json.loads(done.stdout)
        self.assertEqual((document["runs"], len(document["notes"])), (2, 1))
        self.assertEqual({len(series["points"]) for series in document["series"]}, {2})
        self.assertIn("line 3 was left out", done.stderr)
        self.assertIn("<svg", (folder / "h.svg").read_text())
        self.assertEqual(tickmark("history", str(file), "--cell", "nope").returncode, 2)


class Interruption(unittest.TestCase):
    def test_sigint_keeps_what_was_measured_and_marks_it(self):
        with tempfile.TemporaryDirectory() as folder:
            bundle = pathlib.Path(folder, "bundle")
            run = subprocess.Popen([TICKMARK, "run", "raw_epoll", "reference_loop", "--suite", "smoke", "--workload",
                                    "sockets", "--connections", "16", "--no-conform", "--output", str(bundle)],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            for line in run.stderr:  # the first trial is on disk when its line appears
                if line.startswith("[1/"):
                    break
            run.send_signal(signal.SIGINT)
            run.communicate(timeout=60)
            self.assertEqual(run.returncode, 130)
            self.assertEqual(json.loads((bundle / "end.json").read_text())["status"], "interrupted")
            self.assertGreaterEqual(len((bundle / "trials.ndjson").read_text().splitlines()), 1)
            self.assertIn("interrupted", (bundle / "report.html").read_text())


class Fuzz(unittest.TestCase):
    """Random programs on a subject that is right."""

    def test_the_same_seed_gives_the_same_answer(self):
        command = ["fuzz", "reference_loop:time=virtual", "--programs", "60", "--seed", "7", "--json"]
        answers = []
        for _ in range(2):
            done = tickmark(*command)
            self.assertEqual(done.returncode, 0, done.stderr)
            subject = json.loads(done.stdout)["subjects"][0]
            del subject["seconds"]
            answers.append(subject)
        self.assertEqual(answers[0], answers[1])
        self.assertEqual((answers[0]["programs"], answers[0]["refused"]), (60, 0))
        self.assertGreater(answers[0]["callbacks"], 300)

    def test_two_subjects_are_compared(self):
        done = tickmark("fuzz", "reference_loop:time=virtual", "reference_loop:seed=2,time=virtual", "--programs", "60",
                        "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        difference = json.loads(done.stdout)["difference"]
        self.assertEqual(difference["same"] + difference["explained"], 60)
        self.assertGreater(difference["explained"], 0, "two seeds of the world, and never another order")

    def test_one_program_is_played_again_and_again(self):
        with tempfile.TemporaryDirectory() as folder:
            program = pathlib.Path(folder, "program.json")
            program.write_text('{"id":1,"steps":[{"do":"tick","label":1},{"do":"immediate","label":2}]}')
            done = tickmark("fuzz", "reference_loop:time=virtual", "--program", str(program), "--programs", "30",
                            "--json")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(json.loads(done.stdout)["subjects"][0]["programs"], 30)

    def test_a_subject_without_a_player_is_skipped(self):
        done = tickmark("fuzz", "libuv", "--programs", "5")
        self.assertEqual(done.returncode, 77, done.stderr)
        self.assertIn("libuv", done.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=1)
