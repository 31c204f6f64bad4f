"""The pages and ledgers that are gathered over hours, from verdicts made up here."""
import json
import os
import pathlib
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "scripts"))
sys.path.insert(0, str(ROOT / "scripts" / "figures"))
import conditions  # noqa: E402
import conformance_matrix as matrix  # noqa: E402
import conformance_pages as pages  # noqa: E402
import false_alarm_ledger  # noqa: E402
import false_alarms  # noqa: E402


def verdict(rule, kind, level="must", **more):
    return {"rule": rule, "verdict": kind, "level": level, "says": "A before B.", "runs": 20, "applicable": 20,
            "failed": 0, "condition": "idle", **more}


class Pages(unittest.TestCase):
    COLUMNS = [
        pages.Column("node@20", "cjs", {"node": "20.1.0", "uv": "1.46.0"}, [
            verdict("timers/a", "pass", applicable=17), verdict("timers/b", "inapplicable", runs=0),
            verdict("habits/p", "pass", level="profile", orders={"a < b": 20})]),
        pages.Column("bun", "cjs", {"bun": "1.4.5"}, [
            verdict("timers/a", "fail", failed=3), verdict("timers/b", "unsupported", runs=0),
            verdict("habits/p", "pass", level="profile", orders={"a < b": 5, "b < a": 15})]),
        pages.Column("bun", "esm", {"bun": "1.4.5"}, [verdict("timers/a", "fail", failed=3, known="thread 7")]),
    ]

    def setUp(self):
        self.made = pages.pages(self.COLUMNS, 20, "2026-01-01")

    def test_a_cell_tells_the_verdict_the_failures_and_the_share_that_was_judged(self):
        self.assertIn("| a | ✓ 85 % | **✗** 3/20 |", self.made["conformance-matrix.md"])
        self.assertIn("| a | (**✗** 3/20) |", self.made["conformance-matrix.md"], "a known deviation in another mode")

    def test_a_subject_is_told_with_its_versions(self):
        self.assertIn("| node@20 | node 20.1.0, uv 1.46.0 |", self.made["conformance-matrix.md"])

    def test_rows_in_which_nobody_was_judged_are_left_out(self):
        self.assertNotIn("| b |", self.made["conformance-matrix.md"])

    def test_json_holds_every_count(self):
        matrix = json.loads(self.made["conformance-matrix.json"])
        self.assertEqual([column["name"] for column in matrix["columns"]], ["node@20", "bun", "bun esm"])
        self.assertEqual(matrix["rules"]["timers/a"]["seen"][1], ["fail", 20, 20, 3])
        self.assertEqual(matrix["rules"]["timers/b"]["seen"], ["inapplicable", "unsupported", None])
        self.assertEqual(matrix["columns"][0]["versions"]["uv"], "1.46.0")

    def test_fingerprints_group_who_shows_the_same_orders(self):
        text = self.made["fingerprints.md"]
        self.assertIn("| node@20 | `a < b` |", text)
        self.assertIn("| bun | `b < a` 75 %; `a < b` 25 % |", text)
        self.assertNotIn("timers/a", text)

    def test_the_same_verdicts_give_the_same_bytes(self):
        self.assertEqual(self.made, pages.pages(self.COLUMNS, 20, "2026-01-01"))


class Matrix(unittest.TestCase):
    RULES = {"timers/a": "digest-a", "timers/b": "digest-b", "wire/w": "digest-w"}
    KEY = {"players": "these", "repeat": 5}
    NODE = {"name": "node@20", "versions": {"node": "20.1.0"}, "features": ["play", "mode_cjs", "mode_esm"]}

    def setUp(self):
        self.addCleanup(setattr, matrix, "KEPT", matrix.KEPT)
        matrix.KEPT = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.asked = []
        self.addCleanup(setattr, matrix.Job, "ask", matrix.Job.ask)
        matrix.Job.ask = lambda job, rules: (self.asked.append((job.mode, rules)), (
            [verdict(rule, "pass") for rule in rules if rule.startswith("wire/") == (job.mode == "wire")], None))[1]

    def run_all(self, rules=None, key=None):
        """What is asked for in a whole matrix of one subject; its jobs."""
        self.asked.clear()
        jobs = matrix.jobs_of(self.NODE, key or self.KEY, rules or self.RULES)
        for job in jobs:
            if job.missing():
                self.assertIsNone(job.run())
        return list(self.asked), jobs

    def test_what_was_judged_is_kept(self):
        every = ["timers/a", "timers/b", "wire/w"]
        asked, _ = self.run_all()
        self.assertEqual(asked, [("cjs", every), ("esm", every), ("wire", ["wire/w"])])
        self.assertEqual(self.run_all()[0], [])

    def test_a_rule_that_has_changed_is_judged_again_and_no_other(self):
        self.run_all()
        asked, jobs = self.run_all({**self.RULES, "timers/b": "another"})
        self.assertEqual(asked, [("cjs", ["timers/b"]), ("esm", ["timers/b"])])
        self.assertEqual({one["rule"] for one in jobs[0].verdicts()}, {"timers/a", "timers/b"})

    def test_other_players_or_repetitions_begin_anew(self):
        self.run_all()
        self.assertEqual(len(self.run_all(key={"players": "others", "repeat": 5})[0]), 3)
        self.assertEqual(len(self.run_all(key={"players": "these", "repeat": 20})[0]), 3)

    def test_what_is_seen_on_the_wire_stands_in_the_first_column(self):
        columns = matrix.columns_of(self.run_all()[1])
        self.assertEqual([(c.subject, c.mode, [v["rule"] for v in c.verdicts]) for c in columns],
                         [("node@20", "cjs", ["timers/a", "timers/b", "wire/w"]),
                          ("node@20", "esm", ["timers/a", "timers/b"])])


class FalseAlarms(unittest.TestCase):
    RULES = {"x/a": "digest-a", "x/b": "digest-b"}

    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))

    def ledger(self, version="1.44.2", rules=None):
        return false_alarm_ledger.SubjectLedger("libuv", version, rules or self.RULES, self.folder)

    def gathered(self, *seen):
        """One step of ten repetitions, written, and read again."""
        ledger = self.ledger()
        ledger.take("idle", 10, 2.0, [verdict(rule, kind, **{"runs": 10, "applicable": 9, **more})
                                      for rule, kind, more in seen])
        ledger.write()
        return self.ledger()

    def test_sums_go_on_from_one_sitting_to_the_next(self):
        self.gathered(("x/a", "pass", {}), ("x/b", "pass", {}))
        again = self.gathered(("x/a", "pass", {}))
        self.assertEqual(again.sums[("x/a", "idle")], [20, 18, 0])
        self.assertEqual(again.least("idle"), 10)
        self.assertEqual(again.least("busy"), 0)
        self.assertEqual(again.pace, {"idle": 0.2})
        self.assertEqual(again.total(["idle"]), (10, 30, 27, 0))

    def test_half_a_file_is_never_seen(self):
        self.gathered(("x/a", "pass", {}))
        (self.folder / "libuv.new").write_text('{"subject": "lib')  # killed while writing
        self.assertEqual(self.ledger().runs("x/a", "idle"), 10)

    def test_a_line_per_rule(self):
        self.gathered(("x/a", "pass", {}), ("x/b", "unsupported", {}))
        lines = (self.folder / "libuv.json").read_text().splitlines()
        self.assertIn('"x/a": ["digest-a", {"idle": [10, 9, 0]}],', lines)
        self.assertIn('"x/b": ["digest-b", "outside"]', lines)

    def test_a_rule_that_has_changed_begins_anew(self):
        self.gathered(("x/a", "pass", {}), ("x/b", "fail", {"failed": 1, "reason": "r"}))
        changed = self.ledger(rules={**self.RULES, "x/b": "newer"})
        self.assertEqual((changed.runs("x/a", "idle"), changed.runs("x/b", "idle")), (10, 0))
        self.assertEqual(changed.failures, [])

    def test_another_version_of_the_subject_begins_anew_and_one_that_is_absent_does_not(self):
        self.gathered(("x/a", "pass", {}))
        other = self.ledger(version="1.52.0")
        self.assertEqual(other.runs("x/a", "idle"), 0)
        self.assertIn("was 1.44.2, and is 1.52.0", other.told)
        self.assertEqual(self.ledger(version="").runs("x/a", "idle"), 10)

    def test_what_a_subject_is_not_asked_is_not_waited_for(self):
        ledger = self.gathered(("x/a", "pass", {}), ("x/b", "unsupported", {"runs": 0}))
        self.assertEqual(ledger.asked(), ["x/a"])
        self.assertEqual(ledger.least("idle"), 10)

    def test_what_a_subject_is_known_to_break_is_not_waited_for(self):
        ledger = self.gathered(("x/a", "pass", {}), ("x/b", "crash", {"runs": 1, "reason": "r", "known": "thread 7"}))
        self.assertEqual(ledger.least("idle"), 10)
        self.assertEqual((len(ledger.failures), ledger.unknown()), (1, []))

    def test_what_began_anew_catches_up_before_all_go_on(self):
        rules = {f"x/{i}": "d" for i in range(10)}
        ledger = self.ledger(rules=rules)
        self.assertEqual(ledger.next_step("idle", 600, 45), (list(rules), 5), "nothing is known yet")
        ledger.take("idle", 30, 60.0, [verdict(rule, "pass", runs=30, applicable=30) for rule in rules])
        self.assertEqual(ledger.next_step("idle", 600, 45), (list(rules), 22))
        ledger.sums[("x/3", "idle")] = [0, 0, 0]
        self.assertEqual(ledger.next_step("idle", 600, 45), (["x/3"], 30))
        ledger.take("idle", 30, 1.0, [verdict("x/3", "pass", runs=30, applicable=30)])
        self.assertEqual(ledger.pace["idle"], 2.0, "one rule tells nothing of the pace of all")
        self.assertEqual(ledger.next_step("idle", 40, 450), (list(rules), 10), "no more than is wanted")

    def test_a_failure_is_kept_with_its_reason(self):
        ledger = self.gathered(("x/a", "hang", {"reason": "it waits", "excerpt": ["a begins"]}))
        [one] = ledger.unknown()
        self.assertEqual((one["reason"], one["excerpt"], one["condition"]), ("it waits", ["a begins"], "idle"))
        self.assertEqual(ledger.total(["idle"])[3], 1)

    def test_the_bound_is_that_of_zero_in_n(self):
        self.assertLess(false_alarms.bound(3000), 0.001)
        self.assertGreater(false_alarms.bound(2900), 0.001)


class Group(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.every = {name: self.ledger(name, runs) for name, runs in (("ahead", 30), ("behind", 10), ("done", 60))}
        self.group = false_alarms.Group(self.every, {"pinned": 2}, 60)

    def ledger(self, name, runs):
        made = false_alarm_ledger.SubjectLedger(name, "1", {"x/a": "d"}, pathlib.Path(self.folder.name))
        made.take("pinned", runs, 1.0, [verdict("x/a", "pass", runs=runs, applicable=runs)])
        return made

    def start(self):
        subject, condition = self.group.next()
        core = self.group.core(condition)
        self.group.running[len(self.group.running)] = (subject, condition, core)
        return subject, core

    def test_who_is_furthest_behind_comes_first_and_none_twice(self):
        self.assertEqual([self.start()[0], self.start()[0]], ["behind", "ahead"])

    def test_those_at_once_are_pinned_to_cores_of_their_own(self):
        cores = {self.start()[1], self.start()[1]}
        self.assertEqual(len(cores), min(2, len(os.sched_getaffinity(0))))

    def test_no_more_at_once_than_a_condition_allows(self):
        self.group.at_once = {"pinned": 1}
        self.start()
        self.assertIsNone(self.group.next())

    def test_one_that_cannot_be_run_is_not_asked_again(self):
        self.group.take("behind", "pinned", None)
        self.assertEqual(self.start()[0], "ahead")

    def test_idle_and_busy_are_alone_and_the_others_are_not(self):
        names = [set(group.at_once) for group in false_alarms.groups(self.every, conditions.NAMES, 60)]
        self.assertEqual(names, [{"idle"}, {"busy"}, {"pinned", "jitter", "quota"}])
        chosen = list(false_alarms.groups(self.every, ["idle", "jitter"], 60))
        self.assertEqual([set(group.at_once) for group in chosen], [{"idle"}, {"jitter"}])


class Conditions(unittest.TestCase):
    def test_pinned_is_on_the_core_that_was_chosen(self):
        core = max(os.sched_getaffinity(0))
        said = conditions.run(["sh", "-c", "taskset -cp $$"], "pinned", core)[1]
        self.assertTrue(said.endswith(f": {core}\n"), said)

    def test_each_runs_a_command_to_its_end(self):
        for name in conditions.names():
            with self.subTest(condition=name):
                self.assertEqual(conditions.run(["sh", "-c", "echo out; echo err >&2; exit 3"], name),
                                 (3, "out\n", "err\n"))


if __name__ == "__main__":
    unittest.main(verbosity=1)
