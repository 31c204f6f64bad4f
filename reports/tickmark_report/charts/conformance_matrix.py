"""Can I port this code: which promises about callback order does each runtime keep, and which does it break?

Symbols carry the verdict, colours only repeat it. Rules judged while the workload is live ("background") stand in
their own groups.
"""
from matplotlib import patches

from tickmark_report import style

TITLE = "Callback-order conformance"
GROUP, ORDER = "conformance", 10
NEEDS = "conformance verdicts"

# verdict: (sign, fill, ink, words)
LOOKS = {
    "pass": ("✓", "#d3ead9", "#0b4f25", "pass"),
    "fail": ("✗", "#b2182b", "#ffffff", "fail"),
    "crash": ("!", "#67001f", "#ffffff", "crash"),
    "hang": ("∞", "#67001f", "#ffffff", "hang"),
    "inconclusive": ("?", "#fddbc7", "#5a2a0a", "inconclusive"),
    "vacuous": ("∅", "#fddbc7", "#5a2a0a", "vacuous: applied too rarely"),
    "inapplicable": ("–", "#ececec", "#444444", "inapplicable"),
    "unsupported": ("·", "#ffffff", "#444444", "unsupported: no such API"),
}
UNKNOWN = ("?", "#ffffff", "#444444", "unknown verdict")
ROW_IN = 0.118
CHAR_IN = 0.0435  # width of a character of the rule names
INDENT_IN = 0.1
CELL_IN, CELL_COUNTS_IN, CELL_MIN_IN = 0.6, 0.32, 0.2  # as wide as it may be; for "✗ 3/20"; for a sign
HALF_CHARS, FULL_CHARS = 43, 74  # longer names lose their middle
SPLIT_ROWS = 44  # more rows than that stand in two halves, where few subjects leave the room


def draw(bundle, palette):
    if not bundle.verdicts:
        return None
    judged = {v.subject for v in bundle.verdicts}
    subjects = [s.id for s in bundle.subjects if s.id in judged]
    table = {(v.condition, v.rule, v.subject): v for v in bundle.verdicts}
    rows = _rows(bundle.verdicts)
    names = [style.label(name, 24) for name in subjects]
    slant = 0.06 + 0.6 * CHAR_IN * len(names[-1])  # the last name leans out to the right
    fits = _left(rows, HALF_CHARS) + CELL_MIN_IN * len(subjects) + slant < style.WIDTH_IN / 2
    halves, limit = (2, HALF_CHARS) if len(rows) > SPLIT_ROWS and fits else (1, FULL_CHARS)
    left = _left(rows, limit)
    parts = _split(rows) if halves == 2 else [rows]
    room = style.WIDTH_IN / halves - left - slant
    width = min(room, CELL_IN * len(subjects))
    frame = style.Frame(
        TITLE, f"{len({v.rule for v in bundle.verdicts})} rules by group, {len(subjects)} subjects. An empty cell was "
        "not judged; (s) should, (p) profile, (u) unspecified by the documentation, all others must.",
        columns=halves, panel_height=ROW_IN * max(map(len, parts)), bottom=0.04, left=left,
        panel_title=0.16 + 0.78 * CHAR_IN * max(map(len, names)), right=style.WIDTH_IN / halves - left - width,
        gap_x=style.WIDTH_IN / 2 - width, legend=_legend(bundle), legend_columns=5)
    for axis, part in zip(frame.axes[0], parts):
        _block(axis, part, subjects, names, table, left, limit, width / len(subjects))
    return frame.fig


def _left(rows, limit):
    """Inches that the names of rules take."""
    return 0.1 + INDENT_IN + CHAR_IN * min(limit, max(len(text) for text, head, _ in rows if not head))


def _legend(bundle):
    used = {v.verdict for v in bundle.verdicts}
    return [style.sign(f"{sign} {words}", marker="s", markersize=5, markerfacecolor=fill, markeredgecolor=style.SOFT,
                       markeredgewidth=0.4)
            for verdict, (sign, fill, _, words) in LOOKS.items() if verdict in used]


def _split(rows):
    """Two halves that differ least in length, cut before a group's head."""
    heads = [i for i, (_, head, _) in enumerate(rows) if head and i]
    cut = min(heads, key=lambda i: abs(2 * i - len(rows)), default=len(rows))
    return [rows[:cut], rows[cut:]]


def _block(axis, rows, subjects, names, table, left, limit, cell_in):
    height = axis.get_position().height * axis.figure.get_figheight() / ROW_IN
    axis.set_xlim(0, len(subjects))
    axis.set_ylim(height, 0)
    axis.axis("off")
    for column, name in enumerate(names):
        axis.text(column + 0.5, 0.55, name, rotation=50, ha="left", va="bottom", fontsize=6, rotation_mode="anchor",
                  fontweight="bold")
    for y, (text, head, key) in enumerate(rows):
        inset = 0.1 if head else 0.1 + INDENT_IN
        look = {"fontsize": 6, "fontweight": "bold"} if head else {"fontsize": 5.6}
        axis.annotate(style.label(text, limit), (0, y + 0.55), xytext=((inset - left) * 72, 0), va="center",
                      textcoords="offset points", annotation_clip=False, **look)
        if head:
            axis.plot([0, len(subjects)], [y + 0.9, y + 0.9], color=style.SOFT, linewidth=0.4)
            continue
        for column, name in enumerate(subjects):
            _cell(axis, column, y, table.get((*key, name)), cell_in >= CELL_COUNTS_IN)


def _rows(verdicts):
    """[(text, is a group's head, (condition, rule))] in the order of folders."""
    keys = sorted({(v.condition != "idle", v.condition, v.rule.rpartition("/")[0], v.rule) for v in verdicts})
    levels = {(v.condition, v.rule): v.level for v in verdicts}
    rows, group = [], None
    for _, condition, folder, rule in keys:
        if (condition, folder) != group:
            group = (condition, folder)
            rows.append(((folder or "rules") + ("" if condition == "idle" else f", {condition}"), True, None))
        mark = {"should": " (s)", "profile": " (p)", "unspecified": " (u)"}.get(levels[(condition, rule)], "")
        text = rule.rpartition("/")[2].replace("_", " ") + mark
        rows.append((text, False, (condition, rule)))
    return rows


def _cell(axis, column, y, verdict, counts):
    if verdict is None:
        return
    sign, fill, ink, _ = LOOKS.get(verdict.verdict, UNKNOWN)
    axis.add_patch(patches.Rectangle((column + 0.03, y + 0.05), 0.94, 0.9, facecolor=fill, edgecolor="white",
                                     linewidth=0.3))
    text = sign
    if counts and verdict.verdict == "fail" and verdict.applicable:
        text = f"{sign} {verdict.failed}/{verdict.applicable}"
    axis.text(column + 0.5, y + 0.53, text, ha="center", va="center", fontsize=5.6, color=ink)
