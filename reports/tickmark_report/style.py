"""How every chart looks: one palette, one marker per subject, one page width, one way to place text.

A frame is laid out in inches from the number of text lines it has to hold, so nothing overlaps by luck. 6 inches at
200 dpi are the 1,200 pixels for which sizes were chosen.
"""
import io
import logging
import math
import re
import textwrap

logging.getLogger("matplotlib").setLevel(logging.ERROR)  # a first run's font cache is no news for the user

import matplotlib  # noqa: E402

matplotlib.use("Agg")

from matplotlib import figure, lines, ticker  # noqa: E402  (the backend must be chosen first)

from tickmark_report import units  # noqa: E402

WIDTH_IN = 6.0
DPI = 200
INK, SOFT, GRID = "#1a1a1a", "#595959", "#dedede"
BASE, SMALL, HEAD = 6.5, 5.7, 8.5  # points
LABEL_CHARS = 27

# Paul Tol's "muted" scheme, then three of his "bright": distinct with every kind of colour vision.
_FALLBACK = ("#332288", "#cc6677", "#117733", "#56b4e9", "#aa4499", "#999933", "#882255", "#44aa99", "#ddcc77",
             "#4477aa", "#ee6677", "#228833")
_MARKERS = "osD^v<>p*hd8"
_DASHES = ("-", (0, (5, 1.5)), (0, (2.6, 1.1)), (0, (6, 1.5, 1.5, 1.5)), (0, (8, 2)), (0, (3, 1, 1, 1, 1, 1)))

_RC = {
    "font.family": "DejaVu Sans", "font.size": BASE, "text.color": INK, "text.parse_math": False,
    "axes.edgecolor": SOFT, "axes.labelcolor": INK, "axes.linewidth": 0.5, "axes.titlesize": BASE,
    "axes.titleweight": "bold", "axes.titlelocation": "left", "axes.titlepad": 4, "axes.labelsize": BASE,
    "axes.labelpad": 2.5, "axes.axisbelow": True, "axes.grid": True, "axes.spines.top": False,
    "axes.spines.right": False, "axes.unicode_minus": True, "grid.color": GRID, "grid.linewidth": 0.5,
    "xtick.color": SOFT, "ytick.color": SOFT, "xtick.labelcolor": INK, "ytick.labelcolor": INK,
    "xtick.labelsize": 6, "ytick.labelsize": 6, "xtick.major.width": 0.5, "ytick.major.width": 0.5,
    "xtick.minor.width": 0.3, "ytick.minor.width": 0.3, "xtick.major.size": 2.5, "ytick.major.size": 2.5,
    "xtick.minor.size": 1.3, "ytick.minor.size": 1.3, "lines.linewidth": 1.0, "lines.markersize": 3.6,
    "figure.facecolor": "white", "savefig.facecolor": "white", "svg.fonttype": "none", "figure.dpi": DPI,
    "savefig.dpi": DPI, "hatch.linewidth": 0.4,
}


def apply():
    """Our settings and nobody else's: a user's matplotlibrc must not change a report."""
    matplotlib.rcdefaults()
    matplotlib.rcParams.update(_RC)


class Palette:
    """Colour, marker and dashes of every subject of a bundle; the same in each chart."""

    def __init__(self, subjects):
        self._looks, given = {}, {}
        for subject in subjects:  # the first who declares a colour has it; a second variant must not take another's
            colour = subject.colour.lower()
            if re.fullmatch("#[0-9a-f]{6}", colour) and colour not in given.values():
                given[subject.id] = colour
        free = [colour for colour in _FALLBACK if colour not in given.values()]
        for index, subject in enumerate(subjects):
            colour = given.get(subject.id) or (free.pop(0) if free else _FALLBACK[index % len(_FALLBACK)])
            self._looks[subject.id] = (colour, _MARKERS[index % len(_MARKERS)], _DASHES[index % len(_DASHES)])

    def colour(self, subject):
        return self._looks.get(subject, ("#777777",))[0]

    def marker(self, subject):
        return self._looks.get(subject, ("", "o"))[1]

    def dashes(self, subject):
        return self._looks.get(subject, ("", "", "-"))[2]


def label(name, limit=LABEL_CHARS):
    """A subject's id, its middle left out where it is long."""
    if len(name) <= limit:
        return name
    head = (limit - 1) // 2
    return name[:head] + "…" + name[-(limit - 1 - head):]


def handle(palette, subject, dashes=None):
    return lines.Line2D([], [], color=palette.colour(subject), marker=palette.marker(subject),
                        linestyle=dashes or palette.dashes(subject), label=label(subject))


def sign(text, **look):
    """A legend entry that explains a sign, not a subject."""
    return lines.Line2D([], [], linestyle="none", label=text, **{"color": SOFT, "markersize": 4.5, **look})


INVALID_SIGN = {"marker": "o", "markerfacecolor": "white", "markeredgecolor": SOFT, "markeredgewidth": 0.8}


def _wrap(paragraphs, width):
    return [line for paragraph in paragraphs if paragraph for line in textwrap.wrap(paragraph, width)]


def _columns_that_fit(handles, wanted):
    """At most `wanted` legend columns; a column is as wide as its longest label."""
    for columns in range(wanted, 1, -1):
        longest = [max((len(handle.get_label()) for handle in handles[c::columns]), default=0) for c in range(columns)]
        if sum(0.42 + 0.048 * length for length in longest) < WIDTH_IN - 0.1:
            return columns
    return 1


def _by_row(handles, columns):
    """matplotlib fills legends column by column; people read them row by row."""
    return [handle for column in range(columns) for handle in handles[column::columns]]


class Frame:
    """A figure with a title, a subtitle, a legend, panels and notes, stacked and never overlapping.

    Sizes are inches. `panel_title` keeps room for a title line over each panel, `bottom` for tick labels and the
    axis label under each, `before` and `after` for what stands over the first row and under the last.
    """

    def __init__(self, title, subtitle, rows=1, columns=1, panel_height=2.0, legend=(), notes=(), left=0.62,
                 right=0.16, gap_x=0.5, bottom=0.4, panel_title=0.2, legend_columns=4, before=0.0, after=0.0):
        head = _wrap([title], 86)
        under = _wrap([subtitle] if isinstance(subtitle, str) else subtitle, 124)
        foot = _wrap(notes, 134)
        legend_columns = _columns_that_fit(legend, legend_columns)
        legend_rows = math.ceil(len(legend) / legend_columns)
        top = 0.08 + 0.165 * len(head) + 0.115 * len(under) + 0.05
        legend_height = 0.128 * legend_rows + (0.06 if legend_rows else 0)
        panels = before + rows * (panel_title + panel_height + bottom) + after
        foot_height = 0.1 * len(foot) + (0.1 if foot else 0.02)
        self.height = top + legend_height + panels + foot_height
        self.fig = figure.Figure(figsize=(WIDTH_IN, self.height))
        self._lines(head, 0.08, 0.165, fontsize=HEAD, fontweight="bold")
        self._lines(under, 0.08 + 0.165 * len(head), 0.115, fontsize=6, color=SOFT)
        self._lines(foot, self.height - foot_height + 0.04, 0.1, fontsize=SMALL, color=SOFT)
        if legend:
            self.fig.legend(handles=_by_row(list(legend), legend_columns), loc="upper left", ncol=legend_columns,
                            frameon=False, fontsize=6.2, bbox_to_anchor=(0.012, self._y(top)), borderpad=0,
                            handlelength=2.6, borderaxespad=0, columnspacing=1.4, handletextpad=0.5, labelspacing=0.35)
        self.axes = self._panels(rows, columns, top + legend_height + before, panel_height, left, right, gap_x,
                                 bottom, panel_title)

    def _y(self, inches_from_top):
        return 1 - inches_from_top / self.height

    def _lines(self, texts, start, step, **look):
        for index, text in enumerate(texts):
            self.fig.text(0.08 / WIDTH_IN, self._y(start + step * index), text, va="top", ha="left", **look)

    def _panels(self, rows, columns, top, height, left, right, gap_x, bottom, panel_title):
        width = (WIDTH_IN - left - right - gap_x * (columns - 1)) / columns
        grid = []
        for row in range(rows):
            y = top + row * (panel_title + height + bottom) + panel_title
            x, made = left, []
            for _ in range(columns):
                made.append(self.fig.add_axes([x / WIDTH_IN, self._y(y + height), width / WIDTH_IN,
                                               height / self.height]))
                x += width + gap_x
            grid.append(made)
        return grid


def log_time_axis(axis, which, values_ns):
    """A log axis over nanoseconds whose ticks read 10 µs, 1 ms, 1 s; the log is marked by its minor ticks."""
    scale = axis.set_yscale if which == "y" else axis.set_xscale
    scale("log")
    one = axis.yaxis if which == "y" else axis.xaxis
    low, high = max(1, min(values_ns)) / 1.35, max(1, *values_ns) * 1.35  # below 1 ns nothing is measured
    (axis.set_ylim if which == "y" else axis.set_xlim)(low, high)
    decades = math.log10(high / low)
    steps = (1.0, 2.0, 5.0) if decades < (1.2 if which == "x" else 2.5) else (1.0,)
    one.set_major_locator(ticker.LogLocator(base=10, subs=steps, numticks=20))
    one.set_major_formatter(ticker.FuncFormatter(lambda value, _: time_tick(value)))
    one.set_minor_locator(ticker.LogLocator(base=10, subs=tuple(range(2, 10)), numticks=40))
    one.set_minor_formatter(ticker.NullFormatter())


def time_tick(value_ns):
    scale, unit = units.scaled(value_ns, "time")
    return f"{value_ns / scale:g} {unit}"


def count_axis(axis, which):
    one = axis.yaxis if which == "y" else axis.xaxis
    one.set_major_formatter(ticker.FuncFormatter(units.thousands))


def svg_text(fig, salt):
    """The figure as SVG text: same figure and salt, same bytes; ids unique across charts that share a page."""
    with matplotlib.rc_context({"svg.hashsalt": salt}):
        out = io.StringIO()
        fig.savefig(out, format="svg")  # its metadata (date, versions) is cut below
    return _slim(out.getvalue())


def _slim(svg):
    """Two decimals, no ids that nobody refers to, fonts that also exist where DejaVu Sans does not."""
    used = set(re.findall(r'#([A-Za-z0-9_.]+)', svg))
    svg = re.sub(r' id="([^"]*)"', lambda m: m[0] if m[1] in used else "", svg)
    svg = re.sub(r' (?:d|x|y|x1|x2|y1|y2|width|height|transform|points)="[^"]*"',
                 lambda m: re.sub(r"-?\d+\.\d{3,}", lambda n: f"{float(n[0]):.2f}", m[0]), svg)
    svg = re.sub(r"<metadata>.*?</metadata>\s*", "", svg, flags=re.S)
    svg = re.sub(r"'DejaVu Sans'(?:, '[^']*')*(?:, sans-serif)?", "'DejaVu Sans', Verdana, sans-serif", svg)
    return re.sub(r"<g>\s*</g>\s*", "", svg)
