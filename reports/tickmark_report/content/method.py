"""How it was measured, and which trials were not good enough to count."""
import collections

from tickmark_report import access, selection, units
from tickmark_report.document import Bullets, Heading, Paragraph, Section, Table


def section(bundle):
    blocks = [Bullets(_rules(bundle))]
    blocks += _cells(bundle) + _bad_trials(bundle) + _broken_rules(bundle)
    return Section("method", "How it was measured", blocks)


def _rules(bundle):
    rules = [
        "Response time is counted from the intended send time of a seeded schedule (open loop): a stall of the "
        "subject delays every request that fell due meanwhile, and all of them are counted. Service time is counted "
        "from the actual send time; it is in trials.ndjson and never drawn as response time.",
        "Closed loop means that a connection asks again when it has its answer: it measures throughput. It hides "
        "stalls, because nobody asks while the subject stands still; its times are service times under full load and "
        "are never mixed with the open loop's.",
        "A block is one pass over all cells in random order; a trial is one subject in one cell in one block, in a "
        "fresh process. Warm-up is excluded. Intervals come from whole blocks, at least six, never from the seconds "
        "of one trial.",
        "Validity is per metric: a busy neighbour voids latency and throughput of that trial, not its memory. Invalid "
        "trials are drawn hollow and enter no estimate.",
        "A saturated point answered less than was scheduled: its queue grew. It is a result, not an error; its "
        "response time depends on how long was measured.",
        "Isolated: subject on one core, client on another. Shared: subject on all cores, client beside it. The two "
        "are never on one axis; a chart with panels of both names the placement over each.",
    ]
    method, confidence = access.text(bundle.analysis, "method"), access.number(bundle.analysis, "confidence")
    if method:
        level = f" Confidence {confidence * 100:g} % per interval; none is corrected for looking at many." \
            if confidence is not None else ""
        rules.append(f"Statistics: {method}.{level}")
    rerun = access.text(bundle.plan, "rerun_rule")
    if rerun:
        rules.append(f"Repeats: {rerun}")
    calibration = access.member(bundle.plan, "calibration")
    rates = [f"{key} {access.number(value, 'capacity_per_s'):,.0f}/s" for key, value in calibration.items()
             if access.number(value, "capacity_per_s") is not None]
    if rates:
        rules.append(f"Rates are shares of what {access.text(calibration, 'subject', 'the reference')} could do: "
                     f"{access.clean(', '.join(rates))}." + (" " + access.text(calibration, "note")).rstrip())
    return rules


def _cells(bundle):
    rows = []
    for cell in bundle.cells:
        trials = bundle.trials_of(cell)
        rows.append([cell.id, selection.describe(cell), str(cell.blocks), units.duration(cell.warmup_ns),
                     units.duration(cell.duration_ns), str(len(trials)),
                     str(sum(1 for t in trials if t.valid("latency"))), str(sum(1 for t in trials if t.valid("cpu")))])
    if not rows:
        return []
    return [Table(["cell", "what", "blocks", "warm-up", "window", "trials", "latency valid", "CPU valid"], rows,
                  "Cells of the plan", "cells")]


def _bad_trials(bundle):
    groups = collections.Counter((t.status, t.subject, t.cell, selection.generalise(t.reason)) for t in bundle.trials
                                 if t.status != "ok")
    examples = {}
    for t in bundle.trials:
        examples.setdefault((t.status, t.subject, t.cell, selection.generalise(t.reason)), t)
    rows = [[status, subject, cell, str(count), examples[status, subject, cell, reason].reason or "–",
             examples[status, subject, cell, reason].stderr[-300:].strip() or "–"]
            for (status, subject, cell, reason), count in sorted(groups.items())]
    if not rows:
        return []
    return [Table(["status", "subject", "cell", "trials", "reason (first)", "stderr (end)"], rows,
                  "Trials that did not end as “ok”", "bad_trials")]


def _broken_rules(bundle):
    counts, examples = collections.Counter(), {}
    for trial in bundle.trials:
        for family in ("latency", "throughput", "cpu", "memory"):
            entry = access.member(trial.validity, family)
            for reason in access.texts(entry, "reasons"):
                key = (selection.generalise(reason), access.flag(entry, "valid"))
                counts[key, family] += 1
                examples.setdefault(key, reason)
    if not counts:
        return [Paragraph("No validity rule was hit.")] if bundle.trials else []
    rows = []
    for key, example in examples.items():
        hits = [f"{family} {counts[key, family]}" for family in ("latency", "throughput", "cpu", "memory")
                if counts[key, family]]
        rows.append([example, "noted" if key[1] else "voids", ", ".join(hits)])
    return [Heading("Validity rules that were hit"),
            Table(["reason (first)", "effect", "trials per metric family"], sorted(rows), "", "validity")]
