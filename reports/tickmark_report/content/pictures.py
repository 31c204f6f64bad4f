"""Draws every chart once and puts each into its section."""
import dataclasses

from tickmark_report import document

GROUPS = (  # group of a chart, section title
    ("latency", "Response time"),
    ("throughput", "Throughput"),
    ("cost", "Cost per request and per connection"),
    ("busy", "While the CPU is busy"),
    ("storm", "When everybody comes at once"),
    ("stability", "How steady it was"),
)


@dataclasses.dataclass
class Drawn:
    name: str
    group: str
    title: str
    says: str
    figure: object = None
    svg: str = ""
    reason: str = ""  # why there is no figure
    failed: bool = False


def draw_all(bundle, only_reason=""):
    """One Drawn per chart module. A chart that fails is named in the report; it never takes the report with it."""
    if only_reason:
        return [Drawn("charts", "stability", "Charts", "", reason=only_reason)]
    from tickmark_report import charts, style
    style.apply()
    palette = style.Palette(bundle.subjects)
    found = []
    for module in charts.modules():
        name = module.__name__.rpartition(".")[2]
        drawn = Drawn(name, module.GROUP, module.TITLE, charts.says(module))
        found.append(drawn)
        try:
            drawn.figure = module.draw(bundle, palette)
            if drawn.figure is not None:
                drawn.svg = style.svg_text(drawn.figure, name)
            else:
                drawn.reason = f"this bundle lacks {module.NEEDS}."
        except Exception as error:  # a damaged number in a bundle must not cost the reader all other charts
            drawn.figure, drawn.failed = None, True
            drawn.reason = f"could not be drawn ({type(error).__name__}: {error}); this is a defect of the report."
    return found


def of_group(drawn, group):
    blocks = []
    for chart in drawn:
        if chart.group != group:
            continue
        if chart.figure is None:
            blocks.append(document.Paragraph(f"No chart “{chart.title}”: {chart.reason}"))
        else:
            blocks.append(document.Picture(chart.name, chart.title, chart.says, chart.svg))
    return blocks


def sections(drawn, before_conformance):
    known = {group for group, _ in GROUPS} | {"conformance"}
    others = [(group, group.capitalize()) for group in dict.fromkeys(c.group for c in drawn) if group not in known]
    return [document.Section(group, title, of_group(drawn, group)) for group, title in (*GROUPS, *others)]
