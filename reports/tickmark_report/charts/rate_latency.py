"""How much load each architecture takes before its response time leaves the ground: pick the rate you need, and see
who is still flat there and who is past the knee.

Rates are the same for all subjects: shares of the reference subject's capacity.
"""
import math

from tickmark_report import panels, selection, style

TITLE = "Response time against offered rate"
GROUP, ORDER = "latency", 10
NEEDS = "an open-loop workload measured at two rates or more"
METRICS = (("latency_ns_p50", "p50"), ("latency_ns_p99", "p99"))


def draw(bundle, palette):
    ladders = selection.families(bundle)
    if not ladders:
        return None
    subjects = selection.shown_subjects(bundle)
    data = [[{s.id: [selection.point(bundle, cell, metric, s.id) for cell in ladder] for s in subjects}
             for metric, _ in METRICS] for ladder in ladders]
    drawn = {p.subject for row in data for column in row for line in column.values() for p in line
             if p.value is not None}
    if not drawn:
        return None
    frame = style.Frame(
        TITLE,
        "Open loop, response time from the intended send time. Points are estimates over blocks with 95 % intervals "
        "where there are six blocks or more. Both axes are shared by p50 and p99; the vertical axis is logarithmic.",
        rows=len(ladders), columns=2, panel_height=2.35 if len(ladders) < 3 else 1.7, gap_x=0.22, left=0.56,
        legend=[style.handle(palette, s.id) for s in subjects if s.id in drawn] + _signs(data),
        notes=_notes(ladders, data) + selection.caveats(bundle, drawn))
    for axes, ladder, row in zip(frame.axes, ladders, data):
        _row(axes, ladder, row, palette)
    return frame.fig


def _signs(data):
    points = [p for row in data for column in row for line in column.values() for p in line if p.value is not None]
    signs = []
    if any(p.saturated for p in points):
        signs.append(style.sign("ring: saturated", marker="o", markerfacecolor="none", markeredgewidth=0.7,
                                markersize=7))
    if any(not p.valid for p in points):
        signs.append(style.sign("hollow: invalid", **style.INVALID_SIGN))
    return signs


def _notes(ladders, data):
    places = [(f"{cell.workload} {column_name}, {cell.headline_rate_per_s:,.0f}/s",
               [line[i] for line in column.values()])
              for ladder, row in zip(ladders, data) for column, (_, column_name) in zip(row, METRICS)
              for i, cell in enumerate(ladder)]
    notes = panels.invalid_notes(places)
    if any(p.saturated for _, points in places for p in points):
        notes.insert(0, "Saturated: fewer requests were answered than scheduled, the queue grew for as long as the "
                        "window lasted; how high such a point stands says how long was measured, not how slow it is.")
    if any(p.lower_bound for _, points in places for p in points):
        notes.insert(0, "Arrow: a lower bound; too many requests went unanswered to know more than “at least”.")
    return notes


def _row(axes, ladder, row, palette):
    values = [v for column in row for line in column.values() for p in line
              for v in (p.value, p.low, p.high) if v]
    top = max(cell.headline_rate_per_s for cell in ladder)
    for axis, column, (_, name) in zip(axes, row, METRICS):
        for subject, line in column.items():
            _line(axis, ladder, line, palette, subject)
        style.log_time_axis(axis, "y", values or [1e3, 1e6])
        axis.set_xlim(0, top * 1.06)
        style.count_axis(axis, "x")
        cell = ladder[0]
        what = f"{cell.workload} {cell.variant}".strip()
        axis.set_title(f"{name} · {what}, {cell.connections:,} connections")
        axis.set_xlabel("offered rate, requests/s")
    axes[0].set_ylabel("response time (log)")
    axes[1].set_yticklabels([])


def _line(axis, ladder, line, palette, subject):
    colour, marker = palette.colour(subject), palette.marker(subject)
    rates = [cell.headline_rate_per_s for cell in ladder]
    # A line breaks where a point is invalid or missing: it must not claim what lies between.
    solid = [p.value if p.value is not None and p.valid else math.nan for p in line]
    axis.plot(rates, solid, color=colour, marker=marker, linestyle=palette.dashes(subject), markeredgecolor="white",
              markeredgewidth=0.3)
    for x, p in zip(rates, line):
        if p.value is None:
            continue
        if p.low is not None:
            axis.plot([x, x], [p.low, p.high], color=colour, linewidth=2.2, alpha=0.35, solid_capstyle="butt")
        if not p.valid:
            axis.plot([x], [p.value], color=colour, marker=marker, markerfacecolor="white", markeredgewidth=0.8,
                      linestyle="none")
        if p.lower_bound:
            axis.annotate("↑", (x, p.value), xytext=(0, 4.5), textcoords="offset points", ha="center", color=colour,
                          fontsize=6)
        if p.saturated:
            axis.plot([x], [p.value], color=colour, marker="o", markersize=7, markerfacecolor="none",
                      markeredgewidth=0.6, linestyle="none")
