"""What the gate said of real comparisons of which the truth is known: a ledger of JSON lines, and its bounds."""
import contextlib
import json
import math
import pathlib

ROOT = pathlib.Path(__file__).resolve().parent.parent
LEDGER = ROOT / "tickmark-results" / "gate-ledger.ndjson"


def read():
    """The comparisons of the present gate: those made by other rules or settings do not count."""
    rows = []
    if LEDGER.exists():
        for line in LEDGER.read_text().splitlines():
            with contextlib.suppress(ValueError):  # an interrupted command leaves half a line
                rows.append(json.loads(line))
    return [row for row in rows if row["settings"] == rows[-1]["settings"]]


def append(row):
    LEDGER.parent.mkdir(parents=True, exist_ok=True)
    with LEDGER.open("a") as file:
        file.write(json.dumps(row) + "\n")


def binomial_at_most(k, n, p):
    """P(X <= k) of n trials with chance p."""
    if p <= 0:
        return 1.0
    if p >= 1:
        return 1.0 if k >= n else 0.0
    logs = (math.lgamma(n + 1) - math.lgamma(i + 1) - math.lgamma(n - i + 1) + i * math.log(p)
            + (n - i) * math.log1p(-p) for i in range(k + 1))
    return min(1.0, sum(math.exp(term) for term in logs))


def root(falling):
    """Where a falling function of a chance crosses 0."""
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if falling(middle) > 0 else (low, middle)
    return (low + high) / 2


def clopper_pearson(count, n, confidence=0.95):
    """The exact interval of a chance of which `count` of `n` were seen (Clopper and Pearson 1934)."""
    tail = (1 - confidence) / 2
    low = 0.0 if count == 0 else root(lambda p: binomial_at_most(count - 1, n, p) - (1 - tail))
    high = 1.0 if count == n else root(lambda p: binomial_at_most(count, n, p) - tail)
    return low, high


def of_slowdown(rows, percent):
    return [row for row in rows if row["slowdown_percent"] == percent]


def sums(rows):
    """What one slowdown came to: counts of verdicts, mean estimate, spread, coverage, blocks, seconds."""
    cpu = [row["metrics"][0] for row in rows]
    truth = rows[0]["slowdown_percent"] / 100
    mean = lambda values: sum(values) / len(values)  # noqa: E731
    return {
        "n": len(rows),
        "regressions": sum(row["verdict"] == "REGRESSION" for row in rows),
        "oks": sum(row["verdict"] == "OK" for row in rows),
        "estimate": mean([m["slowdown"] for m in cpu]),
        "spread": mean([m["spread"] for m in cpu]),
        "covering": sum(m["slowdown_low"] <= truth <= m["slowdown_high"] for m in cpu),
        "blocks": mean([sum(row["blocks"]) for row in rows]),
        "seconds": mean([row["seconds"] for row in rows]),
    }


def page_lines():
    """The ledger for docs/power.md."""
    rows = read()
    yield "## Real comparisons, gathered by `scripts/prove gate`"
    yield ""
    if not rows:
        yield "None yet on this machine."
        return
    yield (f"The reference loop against itself under another name, and with a slowdown put in (`slowdown=5%`); "
           f"{rows[-1]['machine']}.")
    yield ""
    yield ("| slowdown | comparisons | REGRESSION | 95 % bounds | OK | mean estimate | intervals that hold it | "
           "spread of a block's ratio | mean blocks | mean seconds |")
    yield "|--:|--:|--:|---|--:|--:|--:|--:|--:|--:|"
    for percent in sorted({row["slowdown_percent"] for row in rows}):
        s = sums(of_slowdown(rows, percent))
        low, high = clopper_pearson(s["regressions"], s["n"])
        yield (f"| {percent} % | {s['n']} | {s['regressions']} | {low:.1%} to {high:.1%} | {s['oks']} | "
               f"{s['estimate']:+.1%} | {s['covering']} | {s['spread']:.1%} | {s['blocks']:.0f} | {s['seconds']:.0f} |")
