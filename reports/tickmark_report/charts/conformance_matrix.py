"""Can I port this code: which promises about callback order does each runtime keep, and which does it break?

Symbols carry the verdict, colours only repeat it. Rules judged while the workload is live stand in their own groups.
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


def draw(bundle, palette):
    if not bundle.verdicts:
        return None
    judged = {v.subject for v in bundle.verdicts}
    subjects = [s.id for s in bundle.subjects if s.id in judged]
    table = {(v.condition, v.rule, v.subject): v for v in bundle.verdicts}
    rows = _rows(bundle.verdicts)
    used = {v.verdict for v in bundle.verdicts}
    legend = [style.sign(f"{sign} {words}", marker="s", markersize=5, markerfacecolor=fill, markeredgecolor=style.SOFT,
                         markeredgewidth=0.4)
              for verdict, (sign, fill, _, words) in LOOKS.items() if verdict in used]
    left = min(3.9, 0.2 + 0.047 * max(len(text) + (0 if head else 4) for text, head, _ in rows))
    width = min(style.WIDTH_IN - left - 0.15, 0.62 * len(subjects) + 0.02)
    frame = style.Frame(TITLE, f"{len({v.rule for v in bundle.verdicts})} rules by group, "
                        f"{len(subjects)} subjects. An empty cell was not judged; (s) should, (p) profile, "
                        "(u) unspecified by the documentation, all others must.",
                        panel_height=ROW_IN * len(rows), panel_title=0.95, bottom=0.03, left=left,
                        right=style.WIDTH_IN - left - width, legend=legend)
    axis = frame.axes[0][0]
    axis.set_xlim(0, len(subjects))
    axis.set_ylim(len(rows), 0)
    axis.axis("off")
    for column, name in enumerate(subjects):
        axis.text(column + 0.5, -0.6, style.label(name, 24), rotation=50, ha="left", va="bottom", fontsize=6,
                  rotation_mode="anchor", color=palette.colour(name), fontweight="bold")
    for y, (text, head, key) in enumerate(rows):
        if head:
            axis.annotate(text, (0, y + 0.6), xytext=(-left * 72 + 6, 0), textcoords="offset points", va="center",
                          fontsize=6, fontweight="bold", annotation_clip=False)
            axis.plot([0, len(subjects)], [y + 0.9, y + 0.9], color=style.SOFT, linewidth=0.4)
            continue
        axis.annotate(text, (0, y + 0.5), xytext=(-left * 72 + 14, 0), textcoords="offset points", va="center",
                      fontsize=5.6, annotation_clip=False)
        for column, name in enumerate(subjects):
            _cell(axis, column, y, table.get((*key, name)))
    return frame.fig


def _rows(verdicts):
    """[(text, is a group's head, (condition, rule))] in the order of folders."""
    keys = sorted({(v.condition != "idle", v.condition, v.rule.rpartition("/")[0], v.rule) for v in verdicts})
    levels = {(v.condition, v.rule): v.level for v in verdicts}
    rows, group = [], None
    for _, condition, folder, rule in keys:
        if (condition, folder) != group:
            group = (condition, folder)
            rows.append((f"{folder or 'rules'}" + ("" if condition == "idle" else f", {condition}: beside the live "
                                                   "workload"), True, None))
        mark = {"should": " (s)", "profile": " (p)", "unspecified": " (u)"}.get(levels[(condition, rule)], "")
        text = rule.rpartition("/")[2].replace("_", " ") + mark
        rows.append((style.label(text, 74), False, (condition, rule)))
    return rows


def _cell(axis, column, y, verdict):
    if verdict is None:
        return
    sign, fill, ink, _ = LOOKS.get(verdict.verdict, UNKNOWN)
    axis.add_patch(patches.Rectangle((column + 0.03, y + 0.05), 0.94, 0.9, facecolor=fill, edgecolor="white",
                                     linewidth=0.3))
    text = sign
    if verdict.verdict == "fail" and verdict.applicable:
        text = f"{sign} {verdict.failed}/{verdict.applicable}"
    axis.text(column + 0.5, y + 0.53, text, ha="center", va="center", fontsize=5.6, color=ink)
