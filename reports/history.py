"""history.py CHART < CHANGES: draws what `tickmark history --json` prints into a .png or .svg file.

Called by `tickmark history FILE --chart CHART`. Exit codes: 0 drawn, 2 not that document or another ending, 3 no
matplotlib or no file.
"""
import importlib.util
import json
import pathlib
import sys

sys.dont_write_bytecode = True  # the tree may be read-only, and is under version control
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))  # python3 -I leaves it out

ENDINGS = (".png", ".svg")
SCHEMA = "tickmark.changes/1"


def fail(sentence, code):
    print(f"tickmark history: {sentence}", file=sys.stderr)
    return code


def read(stream):
    """The document, or None for anything else."""
    try:
        document = json.load(stream)
    except ValueError:
        return None
    return document if isinstance(document, dict) and document.get("schema") == SCHEMA else None


def main(argv):
    chart = pathlib.Path(argv[0]) if len(argv) == 1 else pathlib.Path()
    if chart.suffix not in ENDINGS:
        return fail(f"'{chart}' is no chart; expected one file that ends in {' or '.join(ENDINGS)}", 2)
    document = read(sys.stdin)
    if document is None:
        return fail(f"expected a document {SCHEMA} on stdin, as 'tickmark history FILE --json' prints it", 2)
    if importlib.util.find_spec("matplotlib") is None:
        return fail("no chart: matplotlib is not installed (apt-get install python3-matplotlib)", 3)
    from tickmark_report import history_chart, write
    try:
        write.chart(history_chart.draw(document), chart)
    except write.OutputError as error:
        return fail(str(error), 3)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
