"""What one client's number crunching does to everybody else, and whether handing it to a pool or a thread helps:
compare a subject's two rows, then the subjects.

A light stream of trivial requests (the probes) runs on other connections while heavy requests keep arriving.
"""
from tickmark_report import panels, selection, style, units

TITLE = "Other clients' response time while the CPU is busy"
GROUP, ORDER = "busy", 10
NEEDS = "a cpu cell with a probe lane"
ROOM = 0.2


def draw(bundle, palette):
    cells = selection.probe_cells(bundle)
    names = [s.id for s in selection.shown_subjects(bundle)]
    data = [[(selection.point(bundle, cell, "latency_ns_p50", name),
              selection.point(bundle, cell, "latency_ns_p99", name)) for name in names] for cell in cells]
    names = [name for i, name in enumerate(names) if any(p.value is not None for row in data for p in row[i])]
    if not names:
        return None
    flat = [v for row in data for pair in row for p in pair for v in (p.value, p.low, p.high) if v] or [1e3, 1e6]
    places = [(cell.variant or cell.workload, [p for pair in row for p in pair]) for cell, row in zip(cells, data)]
    columns = min(2, len(cells))
    rows = -(-len(cells) // columns)
    frame = style.Frame(
        TITLE, [f"{selection.describe(cell)}; heavy requests at {_heavy_rate(cell)}." for cell in cells]
        + ["Response time of the probes from the intended send time; p50 small, p99 large, with 95 % intervals; "
           "logarithmic axis, the same in all panels."],
        rows=rows, columns=columns, panel_height=0.12 + 0.21 * len(names), left=1.32, gap_x=0.16,
        legend=[style.sign("p50 of the probes", marker="|", markersize=6, markeredgewidth=1.4),
                style.sign("p99 of the probes", marker="o", markersize=5)]
        + ([style.sign("hollow: invalid", **style.INVALID_SIGN)] if _any_invalid(data) else []),
        notes=panels.invalid_notes(places) + panels.missing_notes(places))
    for index, (cell, row) in enumerate(zip(cells, data)):
        axis = frame.axes[index // columns][index % columns]
        _panel(axis, palette, names, [pair for pair in row if pair[0].subject in names], index % columns == 0, flat)
        axis.set_title(f"{cell.workload} {cell.variant}: {_meaning(cell.variant)}")
    for index in range(len(cells), rows * columns):
        frame.axes[index // columns][index % columns].set_visible(False)
    return frame.fig


def _any_invalid(data):
    return any(p.value is not None and not p.valid for row in data for pair in row for p in pair)


def _meaning(variant):
    if "offload" in variant:
        return "handed to pool or threads"
    return "inside the callback" if "inline" in variant else ""


def _heavy_rate(cell):
    return f"{cell.rate_per_s:,.3g}/s" if cell.rate_per_s else "an unstated rate"


def _panel(axis, palette, names, pairs, show_names, flat):
    panels.name_rows(axis, palette, names, show_names)
    spread = max(2.0, max(flat) / max(1, min(flat)))  # the labels right of the last point take ROOM of the width
    style.log_time_axis(axis, "x", [min(flat), max(flat) * spread ** (ROOM / (1 - ROOM))])
    for row, (p50, p99) in enumerate(pairs):
        colour = palette.colour(p99.subject)
        if p50.value is not None and p99.value is not None:
            axis.plot([p50.value, p99.value], [row, row], color=colour, linewidth=1.4, alpha=0.45)
        for p, look in ((p50, dict(marker="|", markersize=6, markeredgewidth=1.4)),
                        (p99, dict(marker=palette.marker(p99.subject), markersize=5))):
            if p.value is None:
                continue
            if p.low is not None:
                axis.plot([p.low, p.high], [row, row], color=style.INK, linewidth=0.9, solid_capstyle="butt",
                          zorder=2.5)
            face = {} if p.valid else {"markerfacecolor": "white"}
            axis.plot([p.value], [row], color=colour, linestyle="none", zorder=3, **look, **face)
        if p99.value is None and p50.value is not None:
            left = p50.value ** 2 < min(flat) * max(flat)  # in the left half: there is room on the right
            axis.annotate("no p99: too few requests", (p50.value, row), xytext=(5 if left else -5, 0),
                          textcoords="offset points", va="center", ha="left" if left else "right",
                          fontsize=style.SMALL, color=style.SOFT, style="italic")
        elif p99.value is None:
            axis.text(0.02, row, panels.short(p99.reason), transform=axis.get_yaxis_transform(), va="center",
                      fontsize=style.SMALL, color=style.SOFT, style="italic")
        else:
            axis.annotate(units.quantity(p99.value, "time"), (max(p99.value, p99.high or 0), row), xytext=(5, 0),
                          textcoords="offset points", va="center", fontsize=style.SMALL)
    axis.set_xlabel("response time of the probes (log)")
