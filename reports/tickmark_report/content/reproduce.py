"""How to get this report again, and where the raw data is."""
from tickmark_report import access
from tickmark_report.document import Bullets, Code, Paragraph, Section

FILES = {
    "plan.json": "what was to be done, fixed before the first trial",
    "machine.json": "where it was done",
    "trials.ndjson": "one line per trial, every metric with its unit in the key",
    "histograms.hlog": "HdrHistogram V2 log, one histogram per trial, lane and kind",
    "conformance.ndjson": "one line per rule and subject",
    "analysis.json": "estimates, intervals and ratios over blocks",
    "end.json": "how the run ended",
    "traces/": "traces behind failed verdicts",
}


def section(bundle, drawn):
    seed = access.number(bundle.plan, "seed")
    blocks = [
        Paragraph("The same command with the same seed makes the same plan on the same machine:"),
        Code(access.text(bundle.plan, "command") or "(the plan names no command)"),
        Paragraph(f"Seed {seed if seed is not None else 'unknown'}; plan hash "
                  f"{access.text(bundle.plan, 'hash') or 'unknown'}."),
        Paragraph("The same bundle makes the same report, byte for byte:"),
        Code(f"tickmark report {bundle.name}"),
        Paragraph(f"Raw data, in the bundle “{bundle.name}”:"),
        Bullets([f"{name}: {what}" for name, what in FILES.items() if name in bundle.files]),
    ]
    figures = [chart.name for chart in drawn if chart.figure is not None]
    if figures:
        blocks.append(Paragraph("Each chart is also a file, charts/NAME.svg and charts/NAME.png: "
                                f"{', '.join(figures)}; the table of comparisons is summary.csv."))
    return Section("reproduce", "Reproduce, raw data", blocks)
