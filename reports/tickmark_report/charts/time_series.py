"""Was it steady? A dip in the left column or a spike in the right one is a pause: a collector, a throttled machine,
a queue that grew. Compare nothing between subjects before both are flat.

Every block is one line; lines of invalid trials are dashed and grey.
"""
from matplotlib import ticker

from tickmark_report import access, panels, selection, style, units

TITLE = "Completed requests and response time over the window"
GROUP, ORDER = "stability", 10
NEEDS = "trials with time series"


def draw(bundle, palette):
    cell = next(filter(None, (selection.steady_cell(bundle, w) for w in selection.workloads_in_order(bundle))), None)
    if cell is None:
        return None
    series = {s.id: _lines(bundle, cell, s.id) for s in selection.shown_subjects(bundle)}
    series = {name: found for name, found in series.items() if found}
    if not series:
        return None
    frame = style.Frame(
        TITLE, [selection.describe(cell) + ".", "One line per block; grey dashed lines are invalid trials. Left: "
                "requests completed per second, from zero. Right: p99 of each interval, logarithmic. Scales are the "
                "same for all subjects."],
        rows=len(series), columns=2, panel_height=0.46, bottom=0.06, panel_title=0.03, left=1.72, gap_x=0.56,
        right=0.12, before=0.16, after=0.34, notes=panels.invalid_notes(
            [("every block", [selection.point(bundle, cell, "latency_ns_p99", name) for name in series])]))
    top = max(value for found in series.values() for _, rate, _ in found for _, value in rate) * 1.12 or 1
    tails = [v for found in series.values() for _, _, tail in found for _, v in tail]
    end = max(x for found in series.values() for _, rate, _ in found for x, _ in rate)
    for (left, right), (name, found) in zip(frame.axes, series.items()):
        for valid, rate, tail in found:
            look = dict(color=palette.colour(name), alpha=0.75, linewidth=0.8) if valid else dict(
                color="#999999", linestyle="--", linewidth=0.7)
            left.plot(*zip(*rate), **look)
            if tail:
                right.plot(*zip(*tail), **look)
        _axes(left, right, top, tails, end, name == list(series)[-1])
        left.text(-0.23, 0.5, style.label(name, 23), transform=left.transAxes, ha="right", va="center", fontsize=6)
        left.plot([-0.2], [0.5], transform=left.transAxes, clip_on=False, color=palette.colour(name), markersize=3.8,
                  marker=palette.marker(name))
    frame.axes[0][0].set_title("completed, requests/s", fontsize=6)
    frame.axes[0][1].set_title("p99 of the interval (log)", fontsize=6)
    return frame.fig


def _lines(bundle, cell, subject):
    """[(valid, [(s, completed/s)], [(s, p99 ns)])] per block."""
    found = []
    for trial in bundle.trials_of(cell, subject):
        points = access.objects(trial.lane(cell.headline_lane), "series")
        starts = [access.amount(point, "start_ns") for point in points]
        if len(points) < 2 or None in starts or starts[1] <= starts[0]:
            continue
        width = starts[1] - starts[0]
        middle = [(start + width / 2) / 1e9 for start in starts]
        rate = [(x, (access.amount(p, "completed") or 0) * 1e9 / width) for x, p in zip(middle, points)]
        tail = [(x, access.amount(p, "latency_ns_p99")) for x, p in zip(middle, points)
                if access.amount(p, "latency_ns_p99")]
        found.append((trial.valid("latency"), rate, tail))
    return found


def _axes(left, right, top, tails, end, last):
    left.set_ylim(0, top)
    left.yaxis.set_major_locator(ticker.MaxNLocator(3))
    style.count_axis(left, "y")
    style.log_time_axis(right, "y", tails or [1e3, 1e6])
    right.yaxis.set_major_locator(ticker.LogLocator(base=10, numticks=4))
    for axis in (left, right):
        axis.set_xlim(0, end * 1.05)
        axis.xaxis.set_major_locator(ticker.MaxNLocator(4))
        axis.xaxis.set_major_formatter(ticker.FuncFormatter(lambda x, _: units.duration(x * 1e9) if x else "0"))
        if last:
            axis.set_xlabel("time in the measured window")
        else:
            axis.set_xticklabels([])
