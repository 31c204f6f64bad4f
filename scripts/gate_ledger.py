"""What the gate said of real comparisons of which the truth is known: a ledger of JSON lines, and its bounds."""
import contextlib
import json
import math
import pathlib

ROOT = pathlib.Path(__file__).resolve().parent.parent
LEDGER = ROOT / "docs" / "power.ndjson"  # committed: 200 comparisons take longer than one sitting
NOISY = 0.05  # of the machine's CPU used by others, from which on a comparison counts as one on a busy machine


def read():
    """The comparisons of the present gate: those made by other rules or settings do not count."""
    rows = []
    if LEDGER.exists():
        for line in LEDGER.read_text().splitlines():
            with contextlib.suppress(ValueError):  # an interrupted command leaves half a line
                rows.append(json.loads(line))
    return [row for row in rows if row["settings"] == rows[-1]["settings"]]


def append(row):
    """Rows of other settings go: they are of another gate."""
    rows = [*read(), row]
    kept = [one for one in rows if one["settings"] == row["settings"]]
    new = LEDGER.with_suffix(".new")
    new.write_text("".join(json.dumps(one) + "\n" for one in kept))
    new.replace(LEDGER)


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


def busy(row):
    return row["foreign_cpu_share"] >= NOISY


def spun(row):
    """Whether a spinner ran on every core."""
    return row["spinners"]


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
        "spread_plain": mean([m["spread_plain"] for m in cpu]),
        "by_20_blocks": sum(row["first_alarm_blocks"] in range(1, 21) for row in rows),
        "foreign": mean([row["foreign_cpu_share"] for row in rows]),
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
           f"{rows[-1]['machine']}. *Quiet*: others used less than {NOISY:.0%} of the machine's CPU meanwhile; "
           "*busy*: more; *spinners*: an endless loop ran on each core. *By 20 blocks*: the first stage had said "
           "REGRESSION. *Spread*: of a block's ratio, without what run-queue wait explains, and with it. What is put "
           "in is a share of the CPU time that the slowed one needs for itself, and that falls: requests gather while "
           "it spins, so that it goes to sleep less often for each (4 % fewer context switches at 20 %, in 24 blocks).")
    yield ""
    yield ("| machine (CPU used by others) | slowdown | comparisons | by 20 blocks | REGRESSION | 95 % bounds | OK | "
           "mean estimate | intervals that hold it | spread | mean blocks | mean seconds |")
    yield "|---|--:|--:|--:|--:|---|--:|--:|--:|--:|--:|--:|"
    kinds = (("quiet", [r for r in rows if not busy(r)]), ("busy", [r for r in rows if busy(r) and not spun(r)]),
             ("spinners", [r for r in rows if spun(r)]))
    for name, of_kind in kinds:
        for percent in sorted({row["slowdown_percent"] for row in of_kind}):
            s = sums(of_slowdown(of_kind, percent))
            low, high = clopper_pearson(s["regressions"], s["n"])
            yield (f"| {name} ({s['foreign']:.0%}) | {percent} % | {s['n']} | {s['by_20_blocks']} | "
                   f"{s['regressions']} | {low:.1%} to {high:.1%} | {s['oks']} | {s['estimate']:+.1%} | "
                   f"{s['covering']} | {s['spread']:.1%}, {s['spread_plain']:.1%} | "
                   f"{s['blocks']:.0f} | {s['seconds']:.0f} |")
    same = of_slowdown(rows, 0)
    if same:
        alarms = sum(row["verdict"] == "REGRESSION" for row in same)
        low, high = clopper_pearson(alarms, len(same))
        yield ""
        yield (f"The same binary under two names, all machines: {alarms} of {len(same)} called a regression, 95 % "
               f"bounds {low:.1%} to {high:.1%} (Clopper and Pearson).")
