"""Which promises about callback order are kept: counts, the matrix, and every violation with its proof."""
import collections

from tickmark_report.document import Bullets, Code, Heading, Paragraph, Section, Table

ORDER = ("pass", "fail", "hang", "crash", "inconclusive", "vacuous", "inapplicable", "unsupported")
DETAILS_MAX = 200  # violations shown in full; the rest are in conformance.ndjson


def section(bundle, charts):
    if not bundle.verdicts:
        return Section("conformance", "Conformance", [Paragraph("This bundle holds no conformance verdicts.")])
    blocks = [Paragraph("A rule is one sentence about callback order with its source; each was played many times "
                        "through the runtime's own API and judged from its trace."), _counts(bundle), *charts]
    bad = [v for v in bundle.verdicts if v.verdict in ("fail", "hang", "crash")]
    for verdict in bad[:DETAILS_MAX]:
        blocks += _proof(verdict)
    if len(bad) > DETAILS_MAX:
        blocks.append(Paragraph(f"{len(bad) - DETAILS_MAX} more are in conformance.ndjson."))
    open_ends = _open_ends(bundle)
    if open_ends:
        blocks += [Heading("Not judged, and why"), Bullets(open_ends)]
    return Section("conformance", "Conformance", blocks)


def _counts(bundle):
    counts = collections.Counter((v.subject, v.verdict) for v in bundle.verdicts)
    judged = {v.subject for v in bundle.verdicts}
    known = [name for name in ORDER if any(v.verdict == name for v in bundle.verdicts)]
    known += sorted({v.verdict for v in bundle.verdicts} - set(ORDER))
    rows = [[s.id] + [str(counts[s.id, name]) for name in known] for s in bundle.subjects if s.id in judged]
    return Table(["subject"] + known, rows, "Verdicts per subject", "verdicts")


def _proof(v):
    level = f" ({v.level})" if v.level else ""
    where = "" if v.condition == "idle" else f", {v.condition}"
    items = [f"Says{level}: {v.says}", f"Source: {v.source or 'not stated'}",
             f"Verdict: {v.verdict}, {v.failed:,} of {v.applicable:,} applicable runs{where}"]
    if v.reason:
        items.append(f"Reason: {v.reason}")
    if v.known:
        items.append(f"Known: {v.known}")
    if v.required:
        items.append(f"Required: {'; '.join(v.required)}")
    if v.seen:
        items.append(f"Seen: {', '.join(v.seen)}")
    blocks = [Heading(f"{v.rule} on {v.subject}"), Bullets(items)]
    return blocks + ([Code(v.reproduce)] if v.reproduce else [])


def _open_ends(bundle):
    groups = collections.OrderedDict()
    for v in bundle.verdicts:
        if v.verdict in ("unsupported", "inconclusive", "vacuous", "inapplicable"):
            groups.setdefault((v.subject, v.verdict, v.reason), []).append(v.rule)
    return [f"{subject}, {verdict}: {', '.join(rules)}" + (f" – {reason}" if reason else "")
            for (subject, verdict, reason), rules in groups.items()]
