"""Who has a bad tail, and at which nine it starts: follow a line to the right until it bends upwards.

All valid trials of a subject are added up (histograms merge exactly). A line ends where fewer than ten requests lie
above it; it is dotted from where requests that were never answered decide.
"""
import math

from matplotlib import ticker

from tickmark_report import histogram, panels, selection, style

TITLE = "Percentiles of the response time at one rate"
GROUP, ORDER = "latency", 20
NEEDS = "an open-loop cell with valid trials and their histograms"
CURVE_POINTS = 160
START = 1.1  # 1/(1-p) where lines begin: p = 9 %


def draw(bundle, palette):
    cell = selection.steady_cell(bundle, "sockets") or next(
        filter(None, (selection.steady_cell(bundle, w) for w in selection.workloads_in_order(bundle))), None)
    if cell is None:
        return None
    curves = {}
    for subject in selection.shown_subjects(bundle):
        curve = _curve(bundle, cell, subject.id)
        if curve:
            curves[subject.id] = curve
    if not curves:
        return None
    left_out = [s.id for s in selection.shown_subjects(bundle) if s.id not in curves]
    frame = style.Frame(
        TITLE, [selection.describe(cell) + ".", "Response time from the intended send time; both axes logarithmic, "
                "the horizontal one in nines: 1/(1-p)."],
        panel_height=2.9, left=0.56, legend=[style.handle(palette, name, "-") for name in curves], panel_title=0.08,
        notes=_notes(bundle, cell, curves) + panels.grouped(
            "Not shown", [(name, _why_left_out(bundle, cell, name)) for name in left_out])
        + selection.caveats(bundle, curves))
    axis = frame.axes[0][0]
    for index, (name, (solid, dotted)) in enumerate(curves.items()):
        look = dict(color=palette.colour(name), marker=palette.marker(name), markevery=(0.02 + 0.02 * index, 0.19))
        if solid:
            axis.plot(*zip(*solid), linestyle="-", **look)  # all solid: dots mean something here
        if dotted:
            axis.plot(*zip(*dotted), linestyle=":", **look)
    points = [point for solid, dotted in curves.values() for point in solid + dotted]
    _axes(axis, points)
    return frame.fig


def _notes(bundle, cell, curves):
    saturated = [name for name in curves if selection.point(bundle, cell, "latency_ns_p99", name).saturated]
    notes = []
    if saturated:
        notes.append(f"Saturated (the queue grew for as long as the window lasted): {', '.join(saturated)}.")
    if any(dotted for _, dotted in curves.values()):
        notes.append("Dotted: requests that were still unanswered at the end count with their age, so the line is a "
                     "lower bound.")
    return notes


def _why_left_out(bundle, cell, name):
    reasons = [r for t in bundle.trials_of(cell, name) for r in t.reasons("latency") if not t.valid("latency")]
    return reasons[0] if reasons else selection.why_missing(bundle, cell, name)


def _merged(bundle, cell, subject, kind):
    merged = None
    for trial in bundle.trials_of(cell, subject):
        if not trial.valid("latency"):
            continue
        one = bundle.histogram(trial, cell.headline_lane, kind)
        if one is None:
            continue
        if merged is None:
            merged = histogram.Histogram(one.precision_bits)
        merged.merge(one)
    return merged


def _curve(bundle, cell, subject):
    """([(1/(1-p), ns)] known, the same where only a lower bound is known); None without data."""
    answered = _merged(bundle, cell, subject, "response")
    if answered is None or not answered.count():
        return None
    unanswered = _merged(bundle, cell, subject, "censored")
    pooled = histogram.Histogram(answered.precision_bits, answered.counts)
    if unanswered is not None:
        pooled.merge(unanswered)
    total, pending = pooled.count(), unanswered.count() if unanswered is not None else 0
    rows = pooled.cumulative()
    end = max(2.0, total / 10)  # n (1-p) >= 10
    solid, dotted, at = [], [], 0
    for step in range(CURVE_POINTS + 1):
        x = START * (end / START) ** (step / CURVE_POINTS)
        rank = max(1, math.ceil((1 - 1 / x) * total))
        while rows[at][1] < rank:
            at += 1
        (dotted if pending > total - rank else solid).append((x, rows[at][0]))
    if dotted and solid:
        dotted.insert(0, solid[-1])
    return solid, dotted


def _axes(axis, points):
    axis.set_xscale("log")
    right = max(x for x, _ in points)
    axis.set_xlim(1, right * 1.1)
    marks = [(1, "0"), (2, "50 %"), (10, "90 %"), (100, "99 %"), (1e3, "99.9 %"), (1e4, "99.99 %"), (1e5, "99.999 %"),
             (1e6, "99.9999 %")]
    marks = [mark for mark in marks if mark[0] <= right * 1.1]
    axis.set_xticks([x for x, _ in marks], [text for _, text in marks])
    axis.xaxis.set_minor_locator(ticker.LogLocator(base=10, subs=tuple(range(2, 10)), numticks=20))
    axis.xaxis.set_minor_formatter(ticker.NullFormatter())
    axis.set_xlabel("percentile (log scale of 1/(1-p))")
    style.log_time_axis(axis, "y", [ns for _, ns in points])
    axis.set_ylabel("response time (log)")
