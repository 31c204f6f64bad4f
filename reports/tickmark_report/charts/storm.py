"""Who is served at all when everybody connects and speaks at once: a connection that is never served is a user who
got nothing, whatever the percentiles of the others say.
"""
from matplotlib import ticker

from tickmark_report import access, panels, selection, style, units

TITLE = "Connection storm"
GROUP, ORDER = "storm", 10
NEEDS = "a storm cell"
FACTS = (("connections_never_served", "never served"),
         ("connections_lost", "closed or reset"),
         ("oldest_unanswered_ns", "oldest unanswered, age"))


def draw(bundle, palette):
    cell = max((c for c in bundle.cells if c.storm and bundle.trials_of(c)),
               key=lambda c: (c.connections, c.blocks), default=None)
    if cell is None:
        return None
    names, seen = [s.id for s in selection.shown_subjects(bundle)], {}
    for name in names:
        seen[name] = [trial for trial in bundle.trials_of(cell, name) if trial.lane(cell.headline_lane)]
    names = [name for name in names if seen[name]]
    if not names:
        return None
    left_out = {s.id: selection.why_missing(bundle, cell, s.id) for s in selection.shown_subjects(bundle)
                if s.id not in names}
    frame = style.Frame(
        TITLE, [f"{selection.describe(cell)}: all connect and speak at once; counted when the window of "
                f"{units.duration(cell.duration_ns)} ended.",
                "One bar per block, from zero. Response times of a storm are those of the lucky and are not shown."],
        columns=len(FACTS), panel_height=0.12 + 0.24 * len(names), left=1.32, gap_x=0.14,
        notes=[f"Not shown: {name}: {why}" for name, why in left_out.items()] + selection.caveats(bundle, names))
    for index, (axis, (key, title)) in enumerate(zip(frame.axes[0], FACTS)):
        _panel(axis, palette, names, seen, cell, key, index == 0)
        axis.set_title(title, fontsize=6)
    return frame.fig


def _panel(axis, palette, names, seen, cell, key, show_names):
    panels.name_rows(axis, palette, names, show_names)
    kind = "time" if key.endswith("_ns") else "plain"
    values = {name: [access.amount(trial.lane(cell.headline_lane), key) for trial in seen[name]] for name in names}
    every = [v for found in values.values() for v in found if v is not None]
    scale, unit = units.axis_unit(every, kind) if kind == "time" else (1, "connections")
    top = max(every, default=0) / scale or 1
    for row, name in enumerate(names):
        height = 0.76 / max(1, len(values[name]))
        for i, value in enumerate(values[name]):
            if value is None:
                continue
            y = row - 0.38 + height * (i + 0.5)
            axis.barh(y, value / scale, height=height * 0.86, color=palette.colour(name), alpha=0.85)
            if len(values[name]) <= 3:
                text = units.quantity(value, "time") if kind == "time" and value else f"{value:,}"
                axis.text(value / scale + top * 0.02, y, text, va="center", fontsize=5.2)
    axis.set_xlim(0, top * 1.4)
    axis.xaxis.set_major_locator(ticker.MaxNLocator(3, integer=True))
    style.count_axis(axis, "x")
    axis.set_xlabel(unit)
