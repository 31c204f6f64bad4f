"""What came out, in one table and a few sentences, all of it read from analysis.json."""
import collections

from tickmark_report import access, selection, units
from tickmark_report.document import Banner, Bullets, Paragraph, Section, Table

HEADLINE_TABLE = "headlines"
MANY_INVALID = 0.2  # share of trials from which the reader is told before the first number
REASON_CHARS = 80


def section(bundle):
    blocks = [Banner(text) for text in banners(bundle)]
    blocks += [_what(bundle), _subjects(bundle)]
    unavailable = _unavailable(bundle)
    if unavailable:
        blocks.append(unavailable)
    sentences = findings(bundle)
    if sentences:
        blocks.append(Bullets(sentences))
    table = headline_table(bundle)
    if table:
        blocks.append(table)
    return Section("summary", "Summary", [block for block in blocks if block])


def banners(bundle):
    found = []
    planned, done = len(access.items(bundle.plan, "schedule")), len(bundle.trials)
    if bundle.status != "complete":
        why = "was interrupted" if bundle.status == "interrupted" else "did not end by itself (no end.json)"
        found.append(f"Incomplete: the run {why}; {done} of {planned} planned trials are here. What follows is what "
                     "was measured until then.")
    elif done < planned:
        found.append(f"{done} of {planned} planned trials are here.")
    if not bundle.trials:
        found.append("This bundle holds no trials: nothing was measured.")
    found += bundle.notes + access.texts(bundle.end, "notes")
    found += _doubts(bundle)
    if access.text(bundle.plan, "suite") == "smoke":
        found.append("This is the smoke suite: it shows that everything works; its numbers compare nothing.")
    return found


def _doubts(bundle):
    """What makes the numbers of this bundle weaker than they look."""
    found = []
    warnings = " ".join(access.texts(bundle.machine, "warnings"))
    if not access.flag(bundle.machine, "comparable", True):
        found.append(f"Not comparable with other bundles: {warnings or 'the machine said so.'}")
    elif warnings:
        found.append(f"About this machine: {warnings}")
    storms = {cell.id for cell in bundle.cells if cell.storm}
    judged = [t for t in bundle.trials if t.metrics and t.cell not in storms]
    bad = [t for t in judged if not t.valid("latency")]
    if len(bad) > MANY_INVALID * len(judged):
        reasons = collections.Counter(selection.generalise(r) for t in bad for r in t.reasons("latency"))
        most = f" The most frequent reason: {reasons.most_common(1)[0][0]}." if reasons else ""
        found.append(f"{len(bad)} of {len(judged)} trials were not good enough for response times; they are drawn "
                     f"hollow and compared with nothing.{most}")
    return found


def _what(bundle):
    tool = access.member(bundle.plan, "tool")
    words = f"Suite {access.text(bundle.plan, 'suite', '(unknown)')}"
    machine = bundle.machine
    if machine:
        words += f" on {access.text(machine, 'cpu_model', 'an unknown CPU')}"
        cpus = access.number(machine, "cpus_online")
        words += f", {cpus:g} CPUs online" if cpus is not None else ""
        words += f", {access.text(machine, 'os_release', 'unknown system')}"
    created = access.text(bundle.plan, "created_utc")
    words += f"; planned {created}" if created else ""
    words += f"; {access.text(tool, 'name', 'tickmark')} {access.text(tool, 'version')}".rstrip()
    return Paragraph(words + f". Ratios are against {bundle.reference or 'no subject'}, paired by block.")


def _subjects(bundle):
    rows = [[s.id, s.title, s.says, s.caveat] for s in bundle.subjects if s.available]
    return Table(["subject", "is", "how it works", "caveat"], rows, "Subjects", "subjects") if rows else None


def _unavailable(bundle):
    rows = [[s.id, s.reason or "no reason was recorded", s.install or "–"] for s in bundle.subjects if not s.available]
    return Table(["not measured", "reason", "install with"], rows, "Subjects that were not available",
                 "unavailable") if rows else None


def headline_table(bundle):
    """Metrics down, subjects across: value with its 95 % interval, and the ratio to the reference under it."""
    subjects = selection.shown_subjects(bundle)
    rows = []
    for headline in selection.headlines(bundle):
        points = [selection.point(bundle, headline.cell, headline.metric, s.id) for s in subjects]
        if any(p.value is not None for p in points):
            better = next((p.comparison.better for p in points if p.comparison), "")
            name = [headline.title] + ([f"{better} is better"] if better else [])
            rows.append([name] + [_cell(p, headline.metric, bundle.reference) for p in points])
    if not rows:
        return None
    return Table(["metric"] + [s.id for s in subjects], rows,
                 "Headline numbers: estimate over valid blocks [95 % interval]; below, the ratio to "
                 f"{bundle.reference} [95 % interval]. Intervals need six blocks. ≈ marks ratios that are not "
                 "distinguishable from 1.", HEADLINE_TABLE)


def _cell(p, metric, reference):
    if p.value is None:
        return ["–", _short(p.reason)]
    if not p.valid:
        return ["invalid", _short(p.reason)]
    lines = [units.with_interval(p.value, p.low, p.high, units.METRICS[metric][2])]
    c = p.comparison
    if p.lower_bound:
        lines.append("at least: requests went unanswered")
    saturated = _grows(p, metric)
    if saturated:
        lines.append("saturated: no ratio")
    if p.subject == reference:
        lines.append("reference")
    elif c is not None and c.ratio is not None and not saturated:
        sure = c.distinguishable or c.ratio_low is None
        lines.append(("" if sure else "≈ ") + units.ratio(c.ratio, c.ratio_low, c.ratio_high))
    if c is not None and c.note:
        lines.append(c.note)
    elif c is None:
        lines.append("no analysis: median, no interval")
    return lines


def _short(reason):
    """Reasons in full are in the method section."""
    return reason if len(reason) <= REASON_CHARS else reason[:REASON_CHARS - 1] + "…"


def _grows(p, metric):
    """True where the number says how long was measured: the response time of a growing queue."""
    return p.saturated and units.METRICS[metric][1] == "latency"


def findings(bundle):
    """One sentence per headline: who differs from the reference, who cannot be told apart."""
    sentences = [_finding(bundle, headline) for headline in selection.headlines(bundle)]
    sentences = [sentence for sentence in sentences if sentence] + storm_findings(bundle)
    violations = [v for v in bundle.verdicts if v.violation]
    if bundle.verdicts:
        who = dict.fromkeys(v.subject for v in violations)
        sentences.append("Callback order: no must or should rule was broken." if not violations else
                         f"Callback order: {len(violations)} verdicts are violations ({', '.join(who)}); see "
                         "Conformance.")
    return sentences


def _finding(bundle, headline):
    kind = units.METRICS[headline.metric][2]
    differs, alike, unsure, grown = [], [], [], []
    base = bundle.comparison(headline.cell, headline.metric, bundle.reference)
    for subject in selection.shown_subjects(bundle):
        c = bundle.comparison(headline.cell, headline.metric, subject.id)
        if c is None or subject.id == bundle.reference or c.ratio is None:
            continue
        if _grows(selection.point(bundle, headline.cell, headline.metric, subject.id), headline.metric):
            grown.append(subject.id)
        elif c.ratio_low is None:
            unsure.append(f"{subject.id} {units.ratio(c.ratio, None, None)}")
        elif c.distinguishable:
            differs.append((c.ratio, f"{subject.id} {units.ratio(c.ratio, c.ratio_low, c.ratio_high)}"))
        else:
            alike.append(f"{subject.id} ({units.ratio(c.ratio, c.ratio_low, c.ratio_high)})")
    if not (differs or alike or unsure or grown):
        return ""
    parts = []
    if base is not None and base.value is not None:
        parts.append(f"{bundle.reference} {units.with_interval(base.value, base.low, base.high, kind)}")
    if differs:
        parts.append(f"against it {', '.join(text for _, text in sorted(differs))}")
    if alike:
        parts.append(f"not distinguishable from it: {', '.join(alike)}")
    if unsure:
        parts.append(f"too few blocks for an interval: {', '.join(unsure)}")
    if grown:
        parts.append(f"saturated at this rate: {', '.join(grown)}")
    better = f" ({base.better} is better)" if base is not None and base.better else ""
    return f"{headline.title}{better}: {'; '.join(parts)}."


def storm_findings(bundle):
    found = []
    for cell in (c for c in bundle.cells if c.storm):
        worst = {}
        for trial in bundle.trials_of(cell):
            starved = access.amount(trial.lane(cell.headline_lane), "connections_never_served")
            if starved is not None:
                worst[trial.subject] = max(worst.get(trial.subject, 0), starved)
        starving = [f"{name} {count:,}" for name, count in sorted(worst.items(), key=lambda w: (-w[1], w[0])) if count]
        if worst:
            found.append(f"Storm of {cell.connections:,} connections, never served in the worst block: "
                         + (", ".join(starving) + "; all others none." if starving else "none of any subject."))
    return found
