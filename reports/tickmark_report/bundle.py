"""Opens a result bundle (docs/bundle.md), also one whose writer was killed and one that somebody else wrote.

An incomplete last line is dropped and said so; an unknown schema or major version is refused with one sentence.
What is read becomes the plain objects of model.py: charts never look into JSON.
"""
import json
import pathlib
import re

from tickmark_report import access, histogram, model

_MAX_FILE_BYTES = 1 << 30


class BundleError(Exception):
    """One sentence for the user: which file, what was expected, what to do next."""


class Bundle:
    """Everything a report may say. Attributes are model objects; `notes` are sentences for the reader."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.name = access.clean(self.folder.resolve().name)
        self.notes = []
        self.plan = {}
        self.machine = {}
        self.end = {}
        self.subjects, self.workloads, self.cells = [], [], []
        self.trials, self.verdicts, self.comparisons = [], [], []
        self.analysis = {}
        self.files = []
        self._log = {}

    @property
    def status(self):
        """complete, interrupted, or incomplete where the writer left no end.json."""
        return access.text(self.end, "status", "incomplete") or "incomplete"

    @property
    def reference(self):
        return access.text(self.plan, "reference_subject")

    def subject(self, name):
        return next((subject for subject in self.subjects if subject.id == name), None)

    def cell(self, name):
        return next((cell for cell in self.cells if cell.id == name), None)

    def trials_of(self, cell, subject=None):
        """Trials of a cell in block order."""
        wanted = [t for t in self.trials if t.cell == cell.id and subject in (None, t.subject)]
        return sorted(wanted, key=lambda trial: (trial.block, trial.trial))

    def comparison(self, cell, metric, subject):
        """The analysis' line for it, or None."""
        return self._compared.get((cell.id, metric, subject))

    def index_comparisons(self):
        self._compared = {(c.cell, c.metric, c.subject): c for c in self.comparisons}

    def histogram(self, trial, lane, kind):
        """The decoded histogram of one trial, lane and kind (response, service, censored, connect), or None."""
        text = self._log.get(f"t{trial.trial}.{lane}.{kind}")
        if text is None:
            return None
        try:
            return histogram.decode(text)
        except histogram.HistogramError as error:
            self.note(f"histograms.hlog: trial {trial.trial}, lane {lane}, {kind}: {error}; left out.")
            return None

    def note(self, sentence):
        if sentence not in self.notes:
            self.notes.append(sentence)


def _read_text(path):
    try:
        if path.stat().st_size > _MAX_FILE_BYTES:
            raise BundleError(f"{path}: larger than 1 GiB; this is no result bundle of tickmark.")
        return path.read_bytes().decode("utf-8", "replace")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise BundleError(f"{path}: cannot be read ({error.strerror}); check the path and its permissions.") from None


def _parse(text, schema, where):
    try:
        document = json.loads(text, parse_constant=lambda _: None)
    except (ValueError, RecursionError):
        raise BundleError(f"{where}: not JSON; the bundle is damaged, give another one or run again.") from None
    found = access.text(document, "schema")
    name, _, version = found.partition("/")
    if name != schema or not re.fullmatch(r"1(\.\d+)*", version):
        raise BundleError(f"{where}: schema is '{found[:60]}', this report reads {schema}/1; "
                          "use the tickmark that wrote the bundle.")
    return document


def _document(bundle, file, schema):
    text = _read_text(bundle.folder / file)
    return {} if text is None else _parse(text, schema, bundle.folder / file)


def _lines(bundle, file, schema):
    text = _read_text(bundle.folder / file)
    if text is None:
        return None
    lines = text.split("\n")
    if lines.pop():
        bundle.note(f"{file}: the last line is incomplete (its writer was killed) and was dropped.")
    return [_parse(line, schema, f"{bundle.folder / file}, line {number}")
            for number, line in enumerate(lines, 1) if line.strip()]


def _say_what_is_missing(bundle, trials, verdicts):
    if not bundle.machine:
        bundle.note("machine.json is missing: nothing is known of the machine.")
    if trials is None:
        bundle.note("trials.ndjson is missing: nothing was measured.")
    if verdicts is None and bundle.plan.get("conformance"):
        bundle.note("conformance.ndjson is missing: callback order was not judged.")
    if not bundle.analysis and bundle.trials:
        bundle.note("analysis.json is missing: no intervals and no ratios can be shown; points are medians over "
                    "blocks.")
    if access.text(bundle.analysis, "plan_hash") not in ("", access.text(bundle.plan, "hash")):
        bundle.note("analysis.json was made for another plan (its plan_hash differs); it is left out.")
        bundle.analysis = {}


def read(folder):
    """The Bundle in `folder`; BundleError where there is none that can be read."""
    bundle = Bundle(folder)
    if not bundle.folder.is_dir():
        raise BundleError(f"{folder}: no such folder; give the folder that 'tickmark run' wrote.")
    bundle.plan = _document(bundle, "plan.json", "tickmark.plan")
    if not bundle.plan:
        raise BundleError(f"{folder}: no plan.json in it, so it is no result bundle; give the folder that "
                          "'tickmark run' wrote.")
    bundle.machine = _document(bundle, "machine.json", "tickmark.machine")
    bundle.end = _document(bundle, "end.json", "tickmark.end")
    bundle.analysis = _document(bundle, "analysis.json", "tickmark.analysis")
    trials = _lines(bundle, "trials.ndjson", "tickmark.trial")
    verdicts = _lines(bundle, "conformance.ndjson", "tickmark.verdict")
    bundle.subjects = model.subjects_of(bundle.plan)
    bundle.workloads = [model.Workload.of(entry) for entry in access.objects(bundle.plan, "workloads")]
    bundle.cells = [model.Cell.of(entry) for entry in access.objects(bundle.plan, "cells")]
    bundle.trials = [model.Trial.of(entry) for entry in trials or []]
    bundle.verdicts = [model.Verdict.of(entry) for entry in verdicts or []]
    _say_what_is_missing(bundle, trials, verdicts)
    bundle.comparisons = [model.Comparison.of(entry) for entry in access.objects(bundle.analysis, "comparisons")]
    bundle.index_comparisons()
    model.add_unplanned_subjects(bundle)
    log = _read_text(bundle.folder / "histograms.hlog")
    bundle._log, dropped = histogram.index_log(log or "")
    if dropped:
        bundle.note("histograms.hlog: the last line is incomplete (its writer was killed) and was dropped.")
    bundle.files = sorted(access.clean(path.name) + ("/" if path.is_dir() else "") for path in bundle.folder.iterdir())
    return bundle
