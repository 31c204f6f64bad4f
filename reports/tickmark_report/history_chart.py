"""Since when is it slower? A panel per series: one dot per run, its interval, the level between changes, and a line
where a change was found.

What is drawn stands in the document; series with a change come first, and no more panels are drawn than a page holds.
"""
from matplotlib import ticker

from tickmark_report import style, units

PANELS_MAX = 12
COLUMNS = 2
TICKS_MAX = 5
DOT, LEVEL, WORSE, BETTER = "#332288", "#1a1a1a", "#cc3311", "#117733"


def draw(document):
    style.apply()
    series = sorted(document["series"], key=lambda one: not one["changes"])  # stable: else as they come
    shown = series[:PANELS_MAX]
    rows = max(1, -(-len(shown) // COLUMNS))
    frame = style.Frame(
        "History", f"{document['runs']} runs. Each dot is one run's ratio of a subject to its canary within the same "
        "blocks, with its 95 % interval where the run had six blocks.", rows=rows, columns=COLUMNS, panel_height=0.95,
        left=0.44, gap_x=0.46, bottom=0.3, panel_title=0.3, legend=_legend(), notes=_notes(document, series, shown))
    panels = [axis for row in frame.axes for axis in row]
    for axis, one in zip(panels, shown):
        _panel(axis, one)
    for axis in panels[len(shown):]:
        axis.set_visible(False)
    return frame.fig


def _legend():
    return [style.sign("a run", marker="o", color=DOT, markersize=3.2),
            style.sign("level between changes", marker="_", color=LEVEL, markersize=7, markeredgewidth=1.2),
            style.sign("change for the worse", marker="|", color=WORSE, markersize=7, markeredgewidth=1.2),
            style.sign("change for the better", marker="|", color=BETTER, markersize=7, markeredgewidth=1.2)]


def _notes(document, series, shown):
    rules = document["rules"]
    notes = [f"Changes by a permutation test of rank sums, p at most {rules['alpha']:g}: each series without one would "
             f"show one with that chance at most. Less than {rules['least']:.0%} is not told. Axes do not start at "
             "zero. Advisory: 'tickmark compare' decides."]
    if len(series) > len(shown):
        notes.append(f"{len(shown)} of {len(series)} series are drawn, those with changes first; choose with "
                     "--subject, --cell and --metric.")
    return notes


def _panel(axis, one):
    points, changes = one["points"], one["changes"]
    for x, point in enumerate(points):
        if "low" in point:
            axis.plot([x, x], [point["low"], point["high"]], color=DOT, linewidth=0.7, alpha=0.45)
    axis.plot(range(len(points)), [point["ratio"] for point in points], linestyle="none", marker="o", markersize=2.4,
              color=DOT, markeredgewidth=0)
    edges = [0, *(change["run"] for change in changes), len(points)]
    levels = [changes[0]["before"], *(change["after"] for change in changes)] if changes else []
    for first, last, level in zip(edges, edges[1:], levels):
        axis.plot([first - 0.4, last - 0.6], [level, level], color=LEVEL, linewidth=1.1)
    axis.margins(x=0.03, y=0.16 if changes else 0.1)
    for change in changes:
        _change(axis, change, len(points))
    _axes(axis, one)


def _change(axis, change, runs):
    """Its size stands on the side where there is room."""
    x = change["run"] - 0.5
    colour = WORSE if change["worse"] else BETTER
    left = x > runs / 2
    axis.axvline(x, color=colour, linewidth=0.9, linestyle=(0, (4, 1.5)))
    axis.annotate(f"{change['change']:+.1%}", (x, 1), xycoords=("data", "axes fraction"), va="top",
                  ha="right" if left else "left", xytext=(-2 if left else 2, -1), textcoords="offset points",
                  fontsize=style.SMALL, color=colour)


def _axes(axis, one):
    points = one["points"]
    step = max(1, -(-(len(points) - 1) // (TICKS_MAX - 1)))
    ticks = list(range(0, len(points), step))
    axis.set_xticks(ticks, [points[x]["utc"][2:10] for x in ticks], fontsize=5)
    axis.tick_params(axis="y", labelsize=5.2)
    axis.yaxis.set_major_formatter(ticker.FuncFormatter(lambda value, _: f"{value:g}×"))
    words = units.METRICS[one["metric"]][0] if one["metric"] in units.METRICS else one["metric"]
    axis.set_title(f"{style.label(one['subject'], 30)} / {style.label(one['canary'], 22)}\n"
                   f"{words}, {style.label(one['cell'], 30)}", fontsize=5.6)
