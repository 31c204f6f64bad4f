"""Which of a bundle's cells stand for what, and one subject's point in a cell.

Positions come from analysis.json. Where it has none (every block invalid, or no analysis at all) a point stands at
the median of its blocks, marked as invalid or as without interval: drawn, never compared.
"""
import collections
import dataclasses
import re
import statistics

from tickmark_report import units

PREFERRED_SHARE = 0.6
HEADLINE_CONNECTIONS = 5000


@dataclasses.dataclass
class Point:
    """One subject in one cell by one metric. value is None where nothing was measured."""
    subject: str
    value: float | None = None
    low: float | None = None
    high: float | None = None
    valid: bool = False
    saturated: bool = False
    lower_bound: bool = False  # too many requests went unanswered: the value is an "at least"
    blocks: list = dataclasses.field(default_factory=list)  # (block, value, valid)
    reason: str = ""  # why it is invalid or missing
    void_reasons: list = dataclasses.field(default_factory=list)  # one per invalid block
    comparison: object = None


@dataclasses.dataclass
class Headline:
    cell: object
    metric: str
    title: str


def why_missing(bundle, cell, subject, metric=""):
    """A sentence for a subject that has no number in the cell."""
    for name, reason in cell.skipped:
        if name == subject:
            return reason or "skipped"
    trials = bundle.trials_of(cell, subject)
    if not trials:
        return "not reached before the run ended" if subject in cell.subjects else "not planned"
    bad = next((t for t in trials if not t.counts), None)
    if bad:
        return f"{bad.status}: {bad.reason}".rstrip(": ")
    return "fewer than ten requests above this percentile" if "_p9" in metric else "this metric was not measured"


def point(bundle, cell, metric, subject):
    """The Point of `subject`; positions and intervals are those of analysis.json."""
    family = units.METRICS[metric][1]
    trials = [t for t in bundle.trials_of(cell, subject) if t.metric(metric) is not None]
    found = Point(subject, blocks=[(t.block, t.metric(metric), t.valid(family)) for t in trials])
    found.void_reasons = [next(iter(t.reasons(family)), t.status) for t in trials if not t.valid(family)]
    found.comparison = bundle.comparison(cell, metric, subject)
    valid = [t for t in trials if t.valid(family)]
    saturated = [t for t in valid if t.status == "saturated"]
    found.lower_bound = any(metric in t.lower_bounds for t in valid)
    found.saturated = bool(valid) and len(saturated) * 2 > len(valid)
    if found.comparison is not None and found.comparison.value is not None:
        found.value, found.valid = found.comparison.value, True
        found.low, found.high = found.comparison.low, found.comparison.high
    elif valid:
        found.value, found.valid = statistics.median(t.metric(metric) for t in valid), True
    elif trials:
        found.value = statistics.median(t.metric(metric) for t in trials)
        found.reason = next((r for t in trials for r in t.reasons(family)), trials[0].reason or trials[0].status)
    else:
        found.reason = why_missing(bundle, cell, subject, metric)
    return found


def points(bundle, cell, metric):
    return [point(bundle, cell, metric, subject.id) for subject in shown_subjects(bundle)]


def measured(bundle, cell):
    """True where at least one trial of the cell has metrics."""
    return any(t.metrics for t in bundle.trials_of(cell))


def shown_subjects(bundle):
    """Subjects with at least one trial, in the plan's order."""
    tried = {t.subject for t in bundle.trials}
    return [subject for subject in bundle.subjects if subject.id in tried]


def describe(cell):
    """'sockets, 5,000 connections, open loop at 48,000 requests/s (60 % of the reference's capacity), isolated'."""
    words = [f"{cell.workload} {cell.variant}".strip()]
    lane = " (probes)" if cell.probed else ""
    words.append(f"{cell.connections:,} connections")
    if cell.storm:
        words.append("storm")
    elif cell.open:
        rate = cell.headline_rate_per_s
        words.append("open loop" + (f" at {rate:,.0f} requests/s{lane}" if rate is not None else ""))
        if cell.capacity_share is not None and not cell.probed:
            words[-1] += f" ({cell.capacity_share * 100:g} % of the reference's capacity)"
    else:
        words.append("closed loop")
    words.append(f"{cell.placement} cores" if cell.placement else "")
    return ", ".join(filter(None, words))


def short(cell):
    """Few words for a table head or a panel."""
    words = [f"{cell.workload} {cell.variant}".strip(), f"{cell.connections:,} conn."]
    if cell.storm:
        words.append("storm")
    elif cell.capacity_share is not None and not cell.probed:
        words.append(f"open, {cell.capacity_share * 100:g} %")
    else:
        words.append("open" if cell.open else "closed")
    return ", ".join(words)


def families(bundle):
    """Open-loop cells that differ by their rate only, each family sorted by rate; families of one are left out."""
    groups = collections.OrderedDict()
    for cell in bundle.cells:
        if cell.open and not cell.probed and cell.rate_per_s and measured(bundle, cell):
            key = (cell.workload, cell.variant, cell.connections, cell.placement, tuple(cell.params.items()))
            groups.setdefault(key, []).append(cell)
    ladders = [sorted(group, key=lambda cell: cell.rate_per_s) for group in groups.values()]
    return [ladder for ladder in ladders if len(ladder) > 1]


def steady_cell(bundle, workload):
    """The open-loop cell of a workload nearest to 60 % of capacity, with the most blocks; None if there is none."""
    cells = [c for c in bundle.cells if c.workload == workload and c.open and not c.probed and measured(bundle, c)]
    return min(cells, key=lambda c: (-c.blocks, -c.connections, abs((c.capacity_share or 0) - PREFERRED_SHARE), c.id),
               default=None)


def workloads_in_order(bundle):
    return list(dict.fromkeys(cell.workload for cell in bundle.cells))


def closed_cells(bundle):
    return [c for c in bundle.cells if c.closed and not c.probed and measured(bundle, c)]


def probe_cells(bundle):
    """Cells with a probe lane, inline before offload, by rate."""
    cells = [c for c in bundle.cells if c.probed and measured(bundle, c)]
    return sorted(cells, key=lambda c: (c.rate_per_s or 0, "offload" in c.variant, c.id))


def memory_cell(bundle):
    """Where most connections are open, so that one connection weighs most exactly; the open loop if there is one."""
    cells = [c for c in bundle.cells if not c.storm and not c.probed
             and any(t.metric("memory_bytes_per_connection") is not None for t in bundle.trials_of(c))]
    return max(cells, key=lambda c: (c.connections, c.open, c.blocks, -abs((c.capacity_share or 0) - PREFERRED_SHARE)),
               default=None)


def cost_cells(bundle):
    """Where CPU per request compares: equal work at equal rate, and the closed loop's."""
    steady = [steady_cell(bundle, workload) for workload in workloads_in_order(bundle)]
    return [c for c in steady if c] + closed_cells(bundle)


def headlines(bundle):
    """The metrics of the summary table and the block plot, from what this bundle has."""
    found = []
    steady = {workload: steady_cell(bundle, workload) for workload in workloads_in_order(bundle)}
    for workload, cell in steady.items():
        if cell:
            found.append(Headline(cell, "latency_ns_p99", f"{short(cell)}: p99"))
    for cell in probe_cells(bundle):
        found.append(Headline(cell, "latency_ns_p99", f"probes beside {cell.workload} {cell.variant}: p99"))
    for cell in closed_cells(bundle):
        found.append(Headline(cell, "throughput_per_s", f"{short(cell)}: throughput"))
    first = next((cell for cell in steady.values() if cell), None)
    cost = first or next(iter(closed_cells(bundle)), None)
    if cost:
        found.append(Headline(cost, "cpu_ns_per_request", f"{short(cost)}: CPU per request"))
    memory = memory_cell(bundle)
    if memory:
        found.append(Headline(memory, "memory_bytes_per_connection", f"{short(memory)}: user memory per connection"))
    return found


def caveats(bundle, names):
    """What to know about the subjects of a chart before comparing them."""
    return [f"{s.id}: {s.caveat.rstrip(chr(46))}." for s in bundle.subjects if s.id in names and s.caveat]


def generalise(reason):
    """A reason without its numbers, so that the same rule counts as one."""
    return re.sub(r"\d[\d.,]*", "…", reason)
