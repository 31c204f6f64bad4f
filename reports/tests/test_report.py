"""The report as files: self-contained, escaped, deterministic, within its budget, every number traceable."""
import html.parser
import json
import re
import unittest
import xml.etree.ElementTree

import support
import synthetic
from tickmark_report import bundle, charts, html_page, selection, units

CHARTS = {module.__name__.rpartition(".")[2] for module in charts.modules()}
VOID = {"meta", "br", "link", "img", "input", "hr"}


class Checker(html.parser.HTMLParser):
    """Tags must nest; remembers what would load something, and the summary table's text."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.open, self.loads, self.tags, self.cells, self.faults = [], [], set(), [], []
        self.in_table = self.in_cell = False

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        for key, value in attrs:
            if key in ("src", "href", "xlink:href", "data", "action", "srcset") and not (value or "").startswith("#"):
                self.loads.append((tag, key, value))
            if key.startswith("on") or "url(http" in (value or "").replace('"', "").replace("'", ""):
                self.faults.append((tag, key, value))
        if tag not in VOID:
            self.open.append(tag)
        if tag == "table":
            self.in_table = ("class", "headlines") in attrs
        if tag == "td" and self.in_table:
            self.cells.append([])
            self.in_cell = True

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.faults.append(("unbalanced", tag, self.getpos()))
        if tag == "td":
            self.in_cell = False

    def handle_data(self, data):
        if self.in_cell and self.in_table:
            self.cells[-1].append(data)


class ReportTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.output, cls.done = support.report()
        assert cls.done.returncode == 0, cls.done.stderr
        cls.page = (cls.output / "report.html").read_text()
        cls.checker = Checker()
        cls.checker.feed(cls.page)

    def test_says_nothing_but_its_paths(self):
        self.assertEqual(self.done.stderr, "")
        for line in self.done.stdout.splitlines():
            self.assertTrue(line.startswith(str(self.output)), line)

    def test_a_machine_that_never_drew_before(self):
        """No home, no font cache: as quiet, and the same chart byte for byte."""
        output, empty = support.scratch(), support.scratch()
        done = support.run(support.whole(), "--output", output, "--format", "svg",
                           environment={"HOME": "/nonexistent", "MPLCONFIGDIR": str(empty)})
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        for name in ("throughput", "rate_latency"):
            self.assertEqual((output / "charts" / f"{name}.svg").read_bytes(),
                             (self.output / "charts" / f"{name}.svg").read_bytes())

    def test_every_chart_is_there_as_svg_png_and_in_the_page(self):
        self.assertGreaterEqual(len(CHARTS), 10)
        for name in CHARTS:
            svg = (self.output / "charts" / f"{name}.svg").read_text()
            xml.etree.ElementTree.fromstring(svg)
            data = (self.output / "charts" / f"{name}.png").read_bytes()
            self.assertEqual(int.from_bytes(data[16:20], "big"), 1200, name)
            self.assertIn(f'<figure id="chart-{name}">', self.page)

    def test_loads_nothing(self):
        self.assertEqual(self.checker.loads, [])
        self.assertIn(f'content="{html_page.escape(html_page.CSP)}"', self.page)
        self.assertIn("default-src 'none'", html_page.CSP)
        self.assertNotIn("@import", self.page)
        self.assertFalse(self.checker.tags & {"script", "iframe", "object", "embed", "link", "base", "img"})

    def test_is_well_formed(self):
        self.assertEqual(self.checker.faults, [])
        self.assertEqual(self.checker.open, [])
        ids = re.findall(r' id="([^"]+)"', self.page)
        self.assertEqual(len(ids), len(set(ids)), "an id is used twice")
        for target in re.findall(r'(?:href="#|url\(#)([^")]+)', self.page):
            self.assertIn(target, ids)

    def test_hostile_text_is_text(self):
        self.assertNotIn("<script", self.page.lower())
        self.assertIn("&lt;script&gt;", self.page)
        markdown = (self.output / "report.md").read_text()
        self.assertNotIn("<script", re.sub(r"```.*?```", "", markdown, flags=re.S))
        for path in (self.output / "charts").glob("*.svg"):
            self.assertNotIn("<script", path.read_text())

    def test_budget(self):
        self.assertLess(len(self.page.encode()), 1_000_000)

    def test_same_bundle_same_bytes(self):
        again = support.scratch()
        self.assertEqual(support.run(support.whole(), "--output", again).returncode, 0)
        names = [path.relative_to(self.output) for path in self.output.rglob("*") if path.is_file()]
        self.assertGreater(len(names), 20)
        for name in names:
            self.assertEqual((self.output / name).read_bytes(), (again / name).read_bytes(), name)

    def test_every_number_of_the_summary_is_in_the_bundle(self):
        """Cell by cell: a printed number is one of that metric's and subject's own in analysis.json."""
        read = bundle.read(support.whole())
        subjects = [s.id for s in selection.shown_subjects(read)]
        keys = [(h.cell.id, h.metric, s) for h in selection.headlines(read) for s in subjects]
        self.assertEqual(len(keys), len(self.checker.cells))
        raw = {(c["cell"], c["metric"], c["subject"]): c
               for c in json.loads((support.whole() / "analysis.json").read_text())["comparisons"]}
        printed = 0
        for key, cell in zip(keys, self.checker.cells):
            mine = raw.get(key, {})
            allowed = {units.factor(mine[k]) for k in ("ratio", "ratio_low", "ratio_high") if k in mine}
            allowed |= {units.digits(mine[k] / scale) for k in ("estimate", "low", "high") if k in mine
                        for scale in (1, 1e3, 1e6, 1e9, 1 << 10, 1 << 20)}
            allowed |= set(re.findall(r"\d+", mine.get("note", "")))
            for text in cell if mine else []:
                for number in re.findall(r"\d+(?:,\d{3})*(?:\.\d+)?", text):
                    self.assertIn(number, allowed, (key, cell))
                    printed += 1
        self.assertGreater(printed, 200)

    def test_says_what_a_report_must(self):
        read = bundle.read(support.whole())
        for words in ("from the intended send time", "Service time", "Closed loop", "service times under full load",
                      "What this does not tell you", read.plan["hash"], read.plan["command"], "deno is not on PATH",
                      "see deno&#x27;s own page", "openssl 3.0.15", "not distinguishable from it", "Synthetic CPU",
                      "SIGSEGV", "other programs used", "Required: a &lt; b", "Seen: b, a", "tickmark conform node"):
            self.assertIn(words, self.page)

    def test_an_expected_violation_is_told_as_known(self):
        self.assertEqual(self.page.count("Known: an old fault of its own"), 1)

    def test_a_hollow_block_is_explained_in_its_chart(self):
        from tickmark_report import panels, selection
        read = bundle.read(support.copy())
        headline = selection.headlines(read)[0]
        trial = next(t for t in read.trials_of(headline.cell) if t.metric(headline.metric) is not None)
        for family in trial.validity:
            trial.validity[family] = {"valid": False, "reasons": ["the core was slower"]}
        notes = panels.void_block_notes(selection.points(read, headline.cell, headline.metric))
        self.assertTrue(any(trial.subject in note and "the core was slower" in note for note in notes), notes)

    def test_numbers_beside_bars_end_inside_their_panel(self):
        from types import SimpleNamespace
        from tickmark_report import panels, style
        read = bundle.read(support.whole())
        points = [SimpleNamespace(subject=s.id, value=178000.0, low=166000.0, high=179000.0, valid=True, reason="")
                  for s in read.subjects]
        frame = style.Frame("Throughput", "close together", columns=2, left=1.32, gap_x=0.16)
        axis = frame.axes[0][1]
        panels.bars(axis, style.Palette(read.subjects), points, "rate")
        panel = axis.get_window_extent()
        self.assertEqual(len(axis.texts), len(points))
        for text in axis.texts:
            self.assertLessEqual(text.get_window_extent().x1, panel.x1, text.get_text())

    def test_csv_is_the_analysis(self):
        lines = (self.output / "summary.csv").read_text().splitlines()
        self.assertEqual(len(lines) - 1, len(bundle.read(support.whole()).comparisons))

    def test_one_colour_per_subject(self):
        from tickmark_report import style
        read = bundle.read(support.whole())
        twin = type(read.subjects[0])(**{**vars(read.subjects[0]), "id": "twin"})
        palette = style.Palette([*read.subjects, twin])
        colours = [palette.colour(s.id) for s in [*read.subjects, twin]]
        self.assertEqual(len(colours), len(set(colours)))
        self.assertEqual(colours[:7], [s[2] for s in synthetic.SUBJECTS])
        palette = style.Palette([read.subjects[0], twin, *read.subjects[1:]])
        self.assertEqual([palette.colour(s.id) for s in read.subjects[:7]], colours[:7])
