"""The chart of a history: what it draws of a made-up document, and what it refuses."""
import json
import pathlib
import subprocess
import tempfile
import unittest

from tickmark_report import history_chart

PROGRAM = pathlib.Path(__file__).resolve().parent.parent / "history.py"


def series(subject, runs, change_at=None):
    points = [{"utc": f"2026-{1 + run // 28:02}-{1 + run % 28:02}T03:00:00Z", "git": "a1", "versions": "",
               "ratio": 1.5 if change_at is None or run < change_at else 1.65,
               **({"low": 1.4, "high": 1.7} if run % 3 else {})} for run in range(runs)]
    change = {"run": change_at, "utc": "", "before": 1.5, "after": 1.65, "change": 0.1, "worse": True, "p": 0.001}
    return {"machine": "m", "cell": "sockets/open/5000/60", "metric": "cpu_ns_per_request", "better": "lower",
            "subject": subject, "canary": "raw_epoll", "points": points,
            "changes": [] if change_at is None else [change]}


def document(*found):
    return {"schema": "tickmark.changes/1", "runs": 40, "notes": [], "series": list(found),
            "rules": {"alpha": 0.01, "permutations": 999, "least": 0.01, "segment_min": 3}}


def draw(text, chart):
    return subprocess.run(["/usr/bin/python3", "-I", PROGRAM, chart], input=text, capture_output=True, text=True,
                          timeout=100)


class HistoryTest(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))

    def test_series_with_a_change_come_first_and_the_rest_is_counted(self):
        fig = history_chart.draw(document(*(series(f"s{i}", 40) for i in range(20)), series("changed", 40, 25)))
        titles = [axis.get_title(loc="left") for axis in fig.axes]
        self.assertEqual(len(titles), history_chart.PANELS_MAX)
        self.assertTrue(titles[0].startswith("changed / raw_epoll"), titles[0])
        self.assertIn("+10.0%", [text.get_text() for text in fig.axes[0].texts])
        self.assertTrue(any("12 of 21 series" in text.get_text() for text in fig.texts))

    def test_levels_are_those_of_the_document(self):
        fig = history_chart.draw(document(series("changed", 40, 25)))
        levels = {tuple(line.get_ydata()) for line in fig.axes[0].lines if line.get_color() == history_chart.LEVEL}
        self.assertEqual(levels, {(1.5, 1.5), (1.65, 1.65)})

    def test_one_run_and_no_series_are_drawn_as_well(self):
        for found in ([], [series("s", 1)]):
            self.assertGreater(history_chart.draw(document(*found)).get_figheight(), 1)

    def test_both_endings_are_written_and_others_refused(self):
        text = json.dumps(document(series("changed", 40, 25)))
        for name, begin in (("a.png", b"\x89PNG"), ("a.svg", b"<?xml")):
            done = draw(text, self.folder / name)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertTrue((self.folder / name).read_bytes().startswith(begin))
        self.assertEqual(draw(text, self.folder / "a.pdf").returncode, 2)
        self.assertEqual(draw("{}", self.folder / "b.png").returncode, 2)
        self.assertEqual(draw("", self.folder / "b.png").returncode, 2)
        self.assertEqual(draw(text, self.folder / "missing" / "c" / "b.png").returncode, 0, "folders are made")


if __name__ == "__main__":
    unittest.main()
