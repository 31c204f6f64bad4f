"""What one request costs in CPU time of the whole subject, kernel included: the bill, and why a system is slower.

At one offered rate every subject does equal work; in the closed loop each runs as fast as it can.
"""
from tickmark_report import panels, selection

TITLE = "CPU time per request"
GROUP, ORDER = "cost", 10
NEEDS = "trials with CPU accounting"
METRIC = "cpu_ns_per_request"


def draw(bundle, palette):
    cells = [cell for cell in selection.cost_cells(bundle)
             if any(t.metric(METRIC) is not None for t in bundle.trials_of(cell))]
    if not cells:
        return None
    return panels.bar_chart(
        bundle, palette, TITLE,
        "User and system time of all processes of the subject in the measured window, per completed request; bars "
        "start at zero, black lines are 95 % intervals over blocks.",
        [(selection.short(cell), cell, METRIC, "time") for cell in cells], per="per request")
