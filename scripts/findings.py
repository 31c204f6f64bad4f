"""Deviations of current runtimes, each re-run before it is told: docs/findings.md from conformance/findings/*.yaml.

A finding names a rule, the subjects that break it, the order the rule requires, and a script that shows the deviation
without the suite: run by the runtime alone it prints one line, the order it saw. The script is run, and the rule is
judged, so many times (--repeat, at least 50); a finding that no longer shows is an error, as is a rule that does not
fail. Runtimes that are not here are left out, and named.
"""
import argparse
import collections
import concurrent.futures
import datetime
import json
import pathlib
import subprocess
import sys

import yaml

ROOT = pathlib.Path(__file__).resolve().parent.parent
TICKMARK = ROOT / "build" / "tickmark"
FOLDER = ROOT / "conformance" / "findings"
PAGE = ROOT / "docs" / "findings.md"
REPEAT_MIN = 50
SCRIPT_S = 30
AT_ONCE = 4  # scripts; they wait more than they work
# How a program of a family takes a script, beside its name.
FLAGS = {"deno": ["run", "--allow-all", "--no-config", "--no-lock", "--quiet"], "bun": ["--no-install"], "node": []}
KEYS = {"says", "rule", "subjects", "required", "why", "script"}
OPTIONAL = {"control", "mode"}  # runtimes that keep the rule; how the suite's player is to run


def read_findings():
    """[(id, document)], each checked."""
    for path in sorted(FOLDER.glob("*.yaml")):
        finding = yaml.safe_load(path.read_text())
        wrong = (set(finding) - OPTIONAL) ^ KEYS
        if wrong:
            sys.exit(f"findings: {path.name}: unknown or missing: {', '.join(sorted(wrong))}")
        if not (FOLDER / finding["script"]).exists():
            sys.exit(f"findings: {path.name}: there is no script {finding['script']}")
        yield path.stem, finding


def subjects_here():
    done = subprocess.run([TICKMARK, "list", "subjects", "--json"], capture_output=True, text=True)
    return {s["name"]: s for s in json.loads(done.stdout)["subjects"] if s["available"]}


def orders_of(program, family, script, repeat):
    """How often the script printed which line. Several at once: what decides their order is in the scripts."""
    def run(_):
        done = subprocess.run([program, *FLAGS[family], script], capture_output=True, text=True, timeout=SCRIPT_S)
        return done.stdout.strip() or f"exit code {done.returncode}"
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        return collections.Counter(pool.map(run, range(repeat)))


def verdict_of(subject, finding, repeat):
    command = [TICKMARK, "conform", subject, "--rule", finding["rule"], "--repeat", str(repeat), "--json"]
    if "mode" in finding:
        command += ["--mode", finding["mode"]]
    done = subprocess.run(command, capture_output=True, text=True)
    if not done.stdout:
        sys.exit(f"findings: {done.stderr.strip()}")
    return next(rule for rule in json.loads(done.stdout)["rules"] if rule["rule"] == finding["rule"])


def counted(orders):
    return "; ".join(f"`{order}` {count}" for order, count in orders.most_common())


def how_it_failed(judged):
    """A process that died is asked no further."""
    if judged["verdict"] in ("crash", "hang"):
        return f"{judged['verdict']}, in run {judged['runs']}"
    return f"{judged['failed']} of {judged['applicable']}"


def show(finding, here, repeat):
    """(lines of the table, verdict of the first subject, what does not show)"""
    lines, first, stale = [], None, []
    script = FOLDER / finding["script"]
    for role in ("subjects", "control"):
        for name in finding.get(role, []):
            if name not in here:
                lines.append(f"| {name} | not here | | |")
                continue
            subject, family = here[name], name.split("@")[0]
            orders = orders_of(subject["program"], family, script, repeat)
            deviating = repeat - orders[finding["required"]]
            judged = verdict_of(name, finding, repeat)
            if role == "subjects":
                first = first or judged
                if deviating == 0 or judged["verdict"] not in ("fail", "hang", "crash"):
                    stale.append(name)
            elif deviating:
                stale.append(f"{name}, which is said to keep it,")
            lines.append(f"| {name} | {subject['versions'].get(family, '')} | {counted(orders)} | "
                         f"{how_it_failed(judged)} |")
    return lines, first, stale


def expected(family):
    """{rule: {"reason", "rule", "mode" unless cjs}} of what this family is known to do otherwise."""
    path = ROOT / "conformance" / "expectations" / f"{family}.yaml"
    listed = {rule: entry if isinstance(entry, dict) else {"reason": entry}
              for rule, entry in yaml.safe_load(path.read_text()).items()}
    return {rule: {"reason": entry["reason"], "rule": rule, **({"mode": mode} if mode != "cjs" else {})}
            for rule, entry in listed.items() for mode in entry.get("modes", ["cjs"])[:1]}


def newest(family, here):
    names = [name for name in here if name.split("@")[0] == family]
    return max(names, key=lambda name: [int(n) for n in here[name]["versions"][family].split(".")], default=None)


def further(told, here, repeat):
    """Rows of what the newest of each family does otherwise, and no finding is about."""
    for family in sorted(FLAGS):
        subject = newest(family, here)
        if subject is None:
            yield f"| {family} | not here | | | | | | |"
            continue
        version = here[subject]["versions"][family]
        for rule, entry in expected(family).items():
            if (rule, family) in told:
                continue
            judged = verdict_of(subject, entry, repeat)
            if judged["verdict"] not in ("fail", "crash", "hang"):
                continue  # of another version, or it shows sometimes
            mode = f", {entry['mode']}" if "mode" in entry else ""
            seen = " ".join(judged["seen"]) or judged["reason"].split(" | ")[0][:120]
            yield (f"| {family} {version}{mode} | [`{rule}`](../conformance/rules/{rule}.yaml) ({judged['level']}) | "
                   f"{judged['says']} | {'; '.join(f'`{one}`' for one in judged['required'])} | `{seen}` | "
                   f"{how_it_failed(judged)} | {entry['reason']} | {judged['source']} |")


def further_section(rows, repeat):
    return ["## Further deviations\n",
            f"Each judged {repeat} times. One of the above is their cause, or their source is what Node's code and "
            "tests show and no document promises, or nobody has written a script of it yet: "
            "`tickmark conform RUNTIME --rule RULE` shows each.\n",
            "| runtime | rule | says | required | seen | failed | instead | source |",
            "|---|---|---|---|---|---|---|---|", *rows, ""]


def section(name, finding, lines, judged, repeat):
    text = [f"## {finding['says']}\n",
            f"**Rule** `{finding['rule']}`" + (f", mode {finding['mode']}" if "mode" in finding else "") +
            (f" ({judged['level']}): {judged['says']}\n" if judged else "\n")]
    if judged:
        text.append(f"**Source** {judged['source']}\n")
    text += [f"**Required** `{finding['required']}`. {finding['why'].strip()}\n",
             f"| runtime | version | seen in {repeat} runs of the script | rule failed |", "|---|---|---|---|", *lines,
             f"\n`conformance/findings/{finding['script']}`:\n", "```js",
             (FOLDER / finding["script"]).read_text().strip(), "```\n"]
    return text


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("findings", nargs="*", help="only these (file names without .yaml); then no page is written")
    parser.add_argument("--repeat", type=int, default=REPEAT_MIN, help="runs of each script and rule (default 50)")
    options = parser.parse_args()
    if options.repeat < REPEAT_MIN:
        sys.exit(f"findings: --repeat must be at least {REPEAT_MIN}")
    here, stale_all, text = subjects_here(), [], []
    for name, finding in read_findings():
        if options.findings and name not in options.findings:
            continue
        lines, judged, stale = show(finding, here, options.repeat)
        stale_all += [f"{name}: {one} {'deviates' if ',' in one else 'does not show it'}" for one in stale]
        text += section(name, finding, lines, judged, options.repeat)
        print(f"{name}: {lines}", file=sys.stderr)
    told = {(finding["rule"], name.split("@")[0]) for _, finding in read_findings() for name in finding["subjects"]}
    rows = [] if options.findings else list(further(told, here, options.repeat))
    for sentence in stale_all:
        print(f"findings: {sentence}", file=sys.stderr)
    if not options.findings:
        head = ["# Findings: promises about callback order that current runtimes do not keep\n",
                f"Made by `scripts/findings` on {datetime.date.today()} from `conformance/findings/`: each script is "
                f"run by the runtime alone, {options.repeat} times in a process of its own, and prints the "
                f"order it sees; "
                "beside it stands how often the rule failed in as many runs of the suite. A runtime below the "
                "line of another "
                "is there for comparison. Machine: "
                f"Linux on {subprocess.run(['uname', '-m'], capture_output=True, text=True).stdout.strip()}.\n"]
        PAGE.write_text("\n".join(head + text + further_section(rows, options.repeat)))
        print(f"{PAGE.relative_to(ROOT)} is written", file=sys.stderr)
    return 1 if stale_all else 0


if __name__ == "__main__":
    sys.exit(main())
