"""Does a small difference mean anything here? Each dot is one block, measured minutes apart: where the clouds of two
subjects overlap, this run cannot tell them apart.

The tick is the estimate over valid blocks. Axes do not start at zero, and are logarithmic where the values span more
than a factor of twelve.
"""
from matplotlib import ticker

from tickmark_report import panels, selection, style, units

TITLE = "One dot per block"
GROUP, ORDER = "stability", 20
NEEDS = "trials of a headline cell"
COLUMNS = 3


def draw(bundle, palette):
    names = [s.id for s in selection.shown_subjects(bundle)]
    found = []
    for headline in selection.headlines(bundle):
        points = [selection.point(bundle, headline.cell, headline.metric, name) for name in names]
        if any(p.blocks for p in points):
            found.append((headline, points))
    if not found:
        return None
    columns = min(COLUMNS, len(found))
    rows = -(-len(found) // columns)
    frame = style.Frame(
        TITLE, "Every trial with this metric; hollow dots are invalid trials, the upright line is the estimate over "
        "the valid ones.", rows=rows, columns=columns, panel_height=0.12 + 0.15 * len(names), left=1.32, gap_x=0.14,
        legend=[style.sign("valid block", marker="o", markersize=3.2),
                style.sign("invalid block", **{**style.INVALID_SIGN, "markersize": 3.2}),
                style.sign("estimate", marker="|", markeredgewidth=1.2)],
        notes=panels.void_block_notes([p for _, points in found for p in points]))
    for index, (headline, points) in enumerate(found):
        axis = frame.axes[index // columns][index % columns]
        _panel(axis, palette, headline, points, index % columns == 0)
    for index in range(len(found), rows * columns):
        frame.axes[index // columns][index % columns].set_visible(False)
    return frame.fig


def _panel(axis, palette, headline, points, show_names):
    panels.name_rows(axis, palette, [p.subject for p in points], show_names)
    kind = units.METRICS[headline.metric][2]
    values = [value for p in points for _, value, _ in p.blocks]
    scale, unit = units.axis_unit(values, kind)
    for row, p in enumerate(points):
        colour = palette.colour(p.subject)
        for valid, face in ((True, colour), (False, "white")):
            dots = [(value / scale, row + (position % 3 - 1) * 0.17)
                    for position, (_, value, good) in enumerate(p.blocks) if good == valid]
            if dots:
                axis.plot(*zip(*dots), color=colour, linestyle="none", markersize=2.7, markerfacecolor=face,
                          marker=palette.marker(p.subject), markeredgewidth=0.6, alpha=0.9)
        if p.value is not None and p.valid:
            axis.plot([p.value / scale], [row], color=style.INK, marker="|", markersize=8, markeredgewidth=0.9)
    positive = [v / scale for v in values if v > 0]
    if positive and min(values) > 0 and max(positive) / min(positive) > 12:
        axis.set_xscale("log")
        axis.set_xlim(min(positive) / 1.4, max(positive) * 1.4)
        axis.xaxis.set_major_locator(ticker.LogLocator(base=10, numticks=5))
        axis.xaxis.set_minor_formatter(ticker.NullFormatter())
        unit += " (log)"
    else:
        axis.margins(x=0.08)
        axis.xaxis.set_major_locator(ticker.MaxNLocator(3))
    style.count_axis(axis, "x")
    axis.set_title("\n".join(_title(headline)), fontsize=5.5)
    axis.set_xlabel(unit, fontsize=6)


def _title(headline):
    where, _, what = headline.title.rpartition(": ")
    what = what.replace("per connection", "per conn.")
    return [where.replace(" conn.,", ","), f"{what} ({headline.cell.placement})" if headline.cell.placement else what]
