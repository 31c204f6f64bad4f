"""summary.csv: one line per cell, metric and subject, exactly as analysis.json has it."""
import csv
import io

COLUMNS = ("cell", "metric", "unit", "better", "subject", "blocks_valid", "blocks_planned", "median", "estimate", "low",
           "high", "ratio", "ratio_low", "ratio_high", "distinguishable", "note")


def text(bundle):
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for comparison in bundle.comparisons:
        writer.writerow([_plain(getattr(comparison, column)) for column in COLUMNS])
    return out.getvalue()


def _plain(value):
    """None is empty; text that a spreadsheet would run as a formula is defused by a leading apostrophe."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@") else value
