"""How much each architecture can do when every connection asks again as soon as it is answered: capacity to buy.

A closed loop slows down with the subject, so nothing here is about response time.
"""
from tickmark_report import panels, selection

TITLE = "Throughput, closed loop"
GROUP, ORDER = "throughput", 10
NEEDS = "a closed-loop cell"
METRIC = "throughput_per_s"


def draw(bundle, palette):
    cells = selection.closed_cells(bundle)
    if not cells:
        return None
    return panels.bar_chart(
        bundle, palette, TITLE,
        "One outstanding request per connection; bars start at zero, black lines are 95 % intervals over blocks.",
        [(selection.short(cell), cell, METRIC, "rate") for cell in cells])
