"""Bundles that are not whole: always a readable report with a banner, never a traceback."""
import json
import os
import random
import subprocess
import unittest

import support
import synthetic

WRONG = (None, "text", "<b>", -1, 0, 1e308, -1e-308, 10 ** 400, [], {}, [None], True, float("nan"), "5", {"a": 1})


def mutate(document, rng, hits):
    """Replaces `hits` members, deep ones too, by something of another kind."""
    for _ in range(hits):
        place, path = document, []
        while isinstance(place, (dict, list)) and place and (not path or rng.random() < 0.75):
            key = rng.choice(list(place)) if isinstance(place, dict) else rng.randrange(len(place))
            path.append((place, key))
            place = place[key]
        if path and path[-1][1] != "schema":
            path[-1][0][path[-1][1]] = rng.choice(WRONG)


class PartialTest(unittest.TestCase):
    def report(self, folder, formats="html,md,csv"):
        output = support.scratch()
        code, _, err = support.run_here(folder, "--output", output, "--format", formats)
        self.assertEqual(code, 0, err)
        page = (output / "report.html").read_text()
        self.assertNotIn("could not be drawn", page)
        self.assertIn("</html>", page)
        return page

    def test_plan_alone(self):
        folder = support.copy()
        for path in folder.iterdir():
            if path.name != "plan.json":
                path.unlink()
        page = self.report(folder)
        self.assertIn('class="banner"', page)
        self.assertIn("nothing was measured", page)
        self.assertIn("No chart “Throughput, closed loop”", page)

    def test_killed_in_the_middle_of_a_line(self):
        folder = support.copy()
        (folder / "end.json").unlink()
        (folder / "analysis.json").unlink()
        (folder / "conformance.ndjson").unlink()
        for name in ("trials.ndjson", "histograms.hlog"):
            data = (folder / name).read_bytes()
            (folder / name).write_bytes(data[:len(data) * 2 // 5])
        page = self.report(folder)
        self.assertIn("did not end by itself", page)
        self.assertIn("the last line is incomplete", page)
        self.assertIn("analysis.json is missing", page)
        self.assertIn("conformance verdicts", page)

    def test_interrupted(self):
        folder = support.copy()
        support.edit(folder, "end.json", lambda document: document.update(status="interrupted"))
        support.write_records(folder, "trials.ndjson", support.records(folder, "trials.ndjson")[:40])
        page = self.report(folder)
        self.assertIn("was interrupted; 40 of", page)

    def test_one_subject(self):
        page = self.report(synthetic.write(support.scratch() / "one", count=1))
        self.assertIn("reference", page)

    def test_only_the_smoke_suite(self):
        folder = support.copy()
        support.edit(folder, "plan.json", lambda document: document.update(suite="smoke"))
        keep = {}
        for record in support.records(folder, "trials.ndjson"):
            keep.setdefault((record["cell"], record["subject"]), record)
        support.write_records(folder, "trials.ndjson", keep.values())
        self.assertIn("smoke suite", self.report(folder))

    def test_every_trial_crashed(self):
        folder = support.copy()
        found = [{key: record[key] for key in ("schema", "trial", "block", "cell", "subject", "workload")}
                 | {"status": "crashed", "reason": "ended by signal 6"}
                 for record in support.records(folder, "trials.ndjson")]
        support.write_records(folder, "trials.ndjson", found)
        (folder / "analysis.json").unlink()
        self.assertIn("ended by signal 6", self.report(folder))

    def test_values_of_the_wrong_kind(self):
        """Somebody else's bundle: any member may be something nobody expects, and every chart still draws."""
        for seed in range(3):
            rng = random.Random(seed)
            folder = synthetic.write(support.scratch() / "bundle", count=2)
            for name, hits in (("plan.json", 12), ("machine.json", 3), ("analysis.json", 200)):
                document = json.loads((folder / name).read_text())
                document.pop("schedule", None)
                mutate(document, rng, hits)
                (folder / name).write_text(json.dumps(document))
            for name in ("trials.ndjson", "conformance.ndjson"):
                found = support.records(folder, name)
                for record in found:
                    mutate(record, rng, rng.choice((0, 0, 2)))
                support.write_records(folder, name, found)
            with self.subTest(seed=seed):
                self.report(folder)

    def test_usage_and_unreadable_end_with_2_and_one_sentence(self):
        for arguments in ([support.scratch() / "nowhere"], [support.scratch()], [support.whole(), "--format", "pdf"]):
            code, out, err = support.run_here(*arguments)
            self.assertEqual((code, out), (2, ""), err)
        folder = support.copy()
        support.edit(folder, "plan.json", lambda document: document.update(schema="tickmark.plan/2"))
        done = support.run(folder)
        self.assertEqual(done.returncode, 2)
        self.assertEqual(len(done.stderr.strip().splitlines()), 1, done.stderr)
        self.assertFalse((folder / "report").exists())

    def test_without_matplotlib_the_rest_is_written(self):
        """In an interpreter that has no matplotlib: the words and tables are there, and the package to install."""
        hide = ("import importlib.util, runpy, sys; find = importlib.util.find_spec; sys.modules['matplotlib'] = None; "
                "importlib.util.find_spec = lambda name, *a: None if name == 'matplotlib' else find(name, *a); "
                "sys.argv = sys.argv[1:]; runpy.run_path(sys.argv[0], run_name='__main__')")
        output = support.scratch()
        done = subprocess.run(["/usr/bin/python3", "-I", "-c", hide, str(support.PROGRAM), str(support.whole()),
                               "--output", str(output)], capture_output=True, text=True, timeout=100)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
        self.assertIn("python3-matplotlib", (output / "report.html").read_text())
        self.assertEqual(sorted(os.listdir(output)), ["report.html", "report.md", "summary.csv"])

    def test_output_that_cannot_be_written(self):
        folder = support.scratch()
        (folder / "file").write_text("in the way")
        code, _, err = support.run_here(support.whole(), "--output", folder / "file", "--format", "csv")
        self.assertEqual(code, 2)
        self.assertIn("cannot be written", err)

    def test_default_output_is_inside_the_bundle_and_repeatable(self):
        folder = support.copy()
        seen = []
        for _ in range(2):
            self.assertEqual(support.run_here(folder, "--format", "md")[0], 0)
            seen.append((folder / "report" / "report.md").read_bytes())
        self.assertEqual(seen[0], seen[1])
        self.assertEqual(sorted(os.listdir(folder / "report")), ["report.md"])
