"""Panels that several charts share: bars with intervals, and what stands where there is no number."""
from matplotlib import ticker, transforms
from matplotlib.text import Annotation

from tickmark_report import selection, style, units


NAMED_MAX = 3  # points named in a note under a chart; the report's method section has them all


def name_rows(axis, palette, names, show=True):
    """One row per subject, first on top, named in its colour's marker."""
    axis.set_ylim(len(names) - 0.5, -0.5)
    axis.set_yticks(range(len(names)))
    axis.set_yticklabels([style.label(name, 23) for name in names] if show else [])
    axis.tick_params(axis="y", length=0, pad=10 if show else 2)
    axis.grid(False, axis="y")
    if show:
        for row, name in enumerate(names):
            mark(axis, palette, name, row)


def mark(axis, palette, name, row):
    """The subject's sign left of a panel, beside its name: text keeps the ink's contrast, the sign has the colour."""
    axis.plot([0], [row], marker=palette.marker(name), color=palette.colour(name), markersize=3.8, clip_on=False,
              linestyle="none", transform=transforms.offset_copy(axis.get_yaxis_transform(), axis.figure, -6, 0,
                                                                 "points"))


LABEL_GAP_PT = 4  # from the end of a bar to its number


def _room_for(axis):
    """Where the axis must end so that each number beside its bar ends inside the panel."""
    labels = [text for text in axis.texts if isinstance(text, Annotation)]
    width = axis.get_window_extent().width
    gap = 2 * LABEL_GAP_PT * axis.figure.dpi / 72
    limits = [1.7 * label.xy[0] for label in labels]
    for label in labels:
        left = width - gap - label.get_window_extent().width
        limits.append(label.xy[0] * width / max(left, width / 4))
    return max(limits, default=1) or 1


def same_end(axes):
    """The panels end where the one that needs most room does."""
    limit = max(axis.get_xlim()[1] for axis in axes)
    for axis in axes:
        axis.set_xlim(0, limit)


def bars(axis, palette, points, kind, show_names=True):
    """Horizontal bars from zero with their intervals; invalid ones hollow, absent ones said so. Returns the unit."""
    name_rows(axis, palette, [p.subject for p in points], show_names)
    values = [p.value for p in points if p.value is not None]
    scale, unit = units.axis_unit(values, kind)
    for row, p in enumerate(points):
        colour = palette.colour(p.subject)
        if p.value is None:
            axis.text(0.01, row, short(p.reason), va="center", fontsize=style.SMALL, color=style.SOFT,
                      style="italic", transform=axis.get_yaxis_transform())
            continue
        look = dict(color=colour, alpha=0.82) if p.valid else dict(facecolor="white", edgecolor=colour,
                                                                  hatch="////", linewidth=0.7)
        axis.barh(row, p.value, height=0.62, **look)
        end = p.value
        if p.low is not None:
            for colour, width, size in (("white", 2.2, 6), (style.INK, 0.9, 4.5)):  # white first: seen on black, too
                axis.plot([p.low, p.high], [row, row], color=colour, linewidth=width, solid_capstyle="butt",
                          marker="|", markersize=size, markeredgewidth=width)
            end = max(end, p.high)
        text = units.with_interval(p.value, p.low, p.high, kind)
        axis.annotate(text if p.valid else f"{text} invalid", (end, row), (LABEL_GAP_PT, 0),
                      textcoords="offset points", annotation_clip=False, va="center", fontsize=style.SMALL,
                      color=style.INK if p.valid else style.SOFT)
    axis.set_xlim(0, _room_for(axis))
    axis.xaxis.set_major_locator(ticker.MaxNLocator(4, steps=[1, 2, 2.5, 5, 10]) if scale == 1 else
                                 _scaled_locator(scale))
    axis.xaxis.set_major_formatter(ticker.FuncFormatter(lambda value, _: units.thousands(value / scale)))
    return unit


def _scaled_locator(scale):
    class Scaled(ticker.MaxNLocator):
        """Round ticks in the unit that is printed, not in nanoseconds or bytes."""

        def tick_values(self, low, high):
            return super().tick_values(low / scale, high / scale) * scale
    return Scaled(4, steps=[1, 2, 2.5, 5, 10])


def short(reason, limit=34):
    return reason if len(reason) <= limit else reason[:limit - 1] + "…"


def invalid_notes(points_by_place):
    """One sentence per kind of reason: who, where, why. `points_by_place`: [(place, points)]."""
    return grouped("Invalid (hollow, compared with nothing)",
                   [(f"{p.subject} ({place})", p.reason) for place, points in points_by_place for p in points
                    if p.value is not None and not p.valid])


def void_block_notes(points):
    """Why single blocks are hollow. `points`: all of the chart."""
    return grouped("Hollow", [(p.subject, reason) for p in points for reason in p.void_reasons])


def grouped(what, reasons):
    """Notes for [(who, reason)]: one per kind of reason, the first such reason as the example."""
    found = {}
    for name, reason in reasons:
        found.setdefault(selection.generalise(reason), ({}, short(reason, 150)))[0][name] = None
    notes = []
    for who, example in found.values():
        names = list(who)
        some = ", ".join(names[:NAMED_MAX]) + (f" and {len(names) - NAMED_MAX} more" if len(names) > NAMED_MAX else "")
        notes.append(f"{what}: {some}: {'first: ' if len(names) > 1 else ''}{example}")
    return notes


def missing_notes(points_by_place):
    """Who has no number, and why."""
    found = {}
    for place, points in points_by_place:
        for p in points:
            if p.value is None:
                found.setdefault(p.reason, {}).setdefault(p.subject, {})[place] = None
    return ["Not shown: " + "; ".join(f"{name} ({', '.join(places)})" for name, places in who.items()) + f": {why}"
            for why, who in found.items()]


def bar_chart(bundle, palette, title, subtitle, places, per="", same_scale=False):
    """Bars of several (panel title, cell, metric, kind of unit), two panels per row. A Figure, or None if empty.

    `per` completes the unit: "per request". `same_scale` makes panels comparable by length.
    """
    data = [[selection.point(bundle, cell, metric, s.id) for s in selection.shown_subjects(bundle)]
            for _, cell, metric, _ in places]
    names = [s.id for i, s in enumerate(selection.shown_subjects(bundle))
             if any(points[i].value is not None for points in data)]
    if not names:
        return None
    kept = [[p for p in points if p.subject in names] for points in data]
    titled = [(place[0], points) for place, points in zip(places, data)]
    columns = min(2, len(places))
    rows = -(-len(places) // columns)
    frame = style.Frame(title, subtitle, rows=rows, columns=columns, panel_height=0.12 + 0.165 * len(names),
                        left=1.32, gap_x=0.16,
                        notes=invalid_notes(titled) + missing_notes(titled) + selection.caveats(bundle, names))
    mixed = len({cell.placement for _, cell, _, _ in places}) > 1  # panels of different placement never compare
    for index, ((name, cell, _, kind), points) in enumerate(zip(places, kept)):
        axis = frame.axes[index // columns][index % columns]
        unit = bars(axis, palette, points, kind, index % columns == 0)
        axis.set_title(f"{name} · {cell.placement}" if mixed and cell.placement else name)
        axis.set_xlabel(f"{unit} {per}".rstrip())
    if same_scale:
        same_end([frame.axes[i // columns][i % columns] for i in range(len(places))])
    for index in range(len(places), rows * columns):
        frame.axes[index // columns][index % columns].set_visible(False)
    return frame.fig
