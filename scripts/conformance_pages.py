"""The pages of scripts/conformance-matrix, from verdicts alone: the same verdicts give the same bytes."""
import collections
import json

SIGNS = {"pass": "✓", "fail": "✗", "inapplicable": "–", "unsupported": "·", "inconclusive": "?", "vacuous": "∅",
         "hang": "∞", "crash": "!"}
STRICT = ("must", "should")

Column = collections.namedtuple("Column", "subject mode versions verdicts")


def heading(column):
    return column.subject + (f" {column.mode}" if column.mode not in ("", "cjs") else "")


def cell(verdict):
    """A sign; how often it failed; the share of runs that could be judged, where that is not all of them."""
    if verdict is None:
        return ""
    kind, runs = verdict["verdict"], verdict["runs"]
    text = SIGNS[kind]
    if kind == "fail":
        text = f"**{text}** {verdict['failed']}/{verdict['applicable']}"
    elif kind in ("hang", "crash"):
        text = f"**{text}**"
    if verdict.get("known"):
        text = f"({text})"
    if kind in ("pass", "fail") and verdict["applicable"] < runs:
        text += f" {100 * verdict['applicable'] // runs} %"
    return text


def table_of(columns):
    """{rule: {column's heading: verdict}}, rules sorted."""
    table = collections.defaultdict(dict)
    for column in columns:
        for verdict in column.verdicts:
            if verdict["condition"] == "idle":
                table[verdict["rule"]][heading(column)] = verdict
    return dict(sorted(table.items()))


def speaks(row):
    """Whether anything was judged in this row of verdicts."""
    return any(v["verdict"] not in ("inapplicable", "unsupported") for v in row.values())


def rows_by_group(table, columns, levels):
    names = [heading(column) for column in columns]
    groups = collections.defaultdict(list)
    for rule, row in table.items():
        row = {name: row[name] for name in names if name in row}
        if not row or next(iter(row.values()))["level"] not in levels or not speaks(row):
            continue
        folder, _, name = rule.rpartition("/")
        groups[folder].append((name, row))
    return names, groups


def matrix(table, columns):
    names, groups = rows_by_group(table, columns, STRICT)
    lines = []
    for folder, rows in groups.items():
        lines += [f"\n### {folder}\n", "| rule | " + " | ".join(names) + " |", "|---|" + "---|" * len(names)]
        for name, row in rows:
            mark = "" if next(iter(row.values()))["level"] == "must" else " (s)"
            cells = " | ".join(cell(row.get(one)) for one in names)
            lines.append(f"| {name.replace('_', ' ')}{mark} | {cells} |")
    return lines


def sums(columns):
    lines = ["| subject | versions | pass | fail | not judged | runs judged |", "|---|---|---|---|---|---|"]
    for column in columns:
        strict = [v for v in column.verdicts if v["level"] in STRICT and v["condition"] == "idle"]
        count = collections.Counter(v["verdict"] for v in strict)
        runs, applicable = sum(v["runs"] for v in strict), sum(v["applicable"] for v in strict)
        bad = count["fail"] + count["hang"] + count["crash"]
        family = column.subject.split("@")[0]
        versions = ", ".join(f"{k} {v}" for k, v in column.versions.items() if k in ("uv", "v8", family))
        share = f"{100 * applicable / runs:.1f} %" if runs else ""
        lines.append(f"| {heading(column)} | {versions} | {count['pass']} | {bad} | "
                     f"{len(strict) - count['pass'] - bad} | {share} |")
    return lines


def matrix_page(table, columns, repeat, date):
    plain = [column for column in columns if column.mode in ("", "cjs")]
    moded = [column for column in columns if column.mode not in ("", "cjs")]
    strict = [rule for rule, row in table.items() if next(iter(row.values()))["level"] in STRICT]
    lines = ["# Compatibility matrix: which promises about callback order does each runtime keep?\n",
             f"Made by `scripts/conformance-matrix` on {date}: {len(strict)} must and should rules, {repeat} runs of "
             "each. `tickmark conform SUBJECT --rule RULE` shows one of them with what is required, what was seen and "
             "why; `conformance-matrix.json` holds the counts.\n",
             "✓ kept, ✗ broken (in so many of the runs that could be judged), (✗) a known deviation, – outside of the "
             "rule's versions or interface, · no such API, ? inconclusive, ∅ nothing to judge in any run, ∞ hung, ! "
             "crashed; a percentage: the share of runs in which the rule's guards held, where not all. (s): should, "
             "all others must. Rows in which nobody was judged are left out.\n"]
    lines += sums(columns) + ["\n## Native subjects, and JavaScript as CommonJS"] + matrix(table, plain)
    if moded:
        lines += ["\n## JavaScript as ES modules and in worker threads"] + matrix(table, moded)
    return "\n".join(lines) + "\n"


def json_cell(verdict):
    if verdict is None:
        return None
    counts = [verdict["runs"], verdict["applicable"], verdict["failed"]]
    return [verdict["verdict"], *counts] if verdict["runs"] else verdict["verdict"]


def matrix_json(table, columns, repeat, date):
    """Cells by the number of their column: with its name in each the file would be three times as long."""
    names = [heading(column) for column in columns]
    head = {"schema": "tickmark.matrix/1", "date": date, "repeat": repeat,
            "seen": "of each column in order: null (not asked), a verdict without runs, or [verdict, runs, applicable, "
                    "failed]",
            "columns": [{"name": name, "versions": column.versions} for name, column in zip(names, columns)]}
    body = ",\n".join("  {}: {}".format(json.dumps(rule), json.dumps(
        {"level": next(iter(row.values()))["level"], "seen": [json_cell(row.get(name)) for name in names]},
        separators=(",", ":"))) for rule, row in table.items())
    return json.dumps(head, indent=1)[:-2] + ',\n "rules": {\n' + body + "\n }\n}\n"


def orders_text(orders):
    total = sum(orders.values())
    return "; ".join(f"`{order or 'nothing'}`" + (f" {100 * count / total:.0f} %" if len(orders) > 1 else "")
                     for order, count in sorted(orders.items(), key=lambda item: -item[1]))


def fingerprint_rows(row):
    """Subjects that showed the same orders stand together."""
    alike = collections.defaultdict(list)
    for name, verdict in row.items():
        if verdict.get("orders"):
            alike[frozenset(verdict["orders"])].append((name, verdict["orders"]))
    for members in sorted(alike.values(), key=lambda members: -len(members)):
        merged = collections.Counter()
        for _, orders in members:
            merged.update(orders)
        yield ", ".join(name for name, _ in members), orders_text(merged)


def fingerprints_page(table, columns, repeat, date):
    lines = ["# Fingerprints: habits of runtimes that nobody promises\n",
             f"Made by `scripts/conformance-matrix` on {date}, {repeat} runs of each. A *profile* is stable in "
             "practice and no promise: it tells two implementations apart, and fails nobody. Of *unspecified* "
             "orders each is "
             "legal: code that relies on one of them is wrong, whatever stands here. Subjects that showed the same "
             "orders stand together; a percentage is the share of runs.\n"]
    for level, title in (("profile", "Profiles"), ("unspecified", "Unspecified orders")):
        lines.append(f"## {title}\n")
        _, groups = rows_by_group(table, columns, (level,))
        for folder, rows in groups.items():
            for name, row in rows:
                found = list(fingerprint_rows(row))
                if not found:
                    continue
                says = next(iter(row.values()))["says"]
                lines += [f"**{folder}/{name}**: {says}\n", "| subjects | orders |", "|---|---|"]
                lines += [f"| {subjects} | {orders} |" for subjects, orders in found] + [""]
    return "\n".join(lines)


def pages(columns, repeat, date):
    table = table_of(columns)
    return {"conformance-matrix.md": matrix_page(table, columns, repeat, date),
            "conformance-matrix.json": matrix_json(table, columns, repeat, date),
            "fingerprints.md": fingerprints_page(table, columns, repeat, date)}
