"""report.py BUNDLE [--output DIR] [--format html,md,png,svg,csv]: what `tickmark report` runs.

Prints the paths it wrote on stdout, everything else on stderr. Exit codes: 0 written, 2 usage or a bundle that cannot
be read, 3 a chart could not be drawn (the rest was written).
"""
import argparse
import importlib.util
import pathlib
import sys

sys.dont_write_bytecode = True  # the tree may be read-only, and is under version control
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))  # python3 -I leaves it out

from tickmark_report import bundle, write  # noqa: E402


def arguments(argv):
    parser = argparse.ArgumentParser(prog="tickmark report", description="Makes a report from a result bundle.")
    parser.add_argument("bundle", help="folder that 'tickmark run' wrote")
    parser.add_argument("--output", help="folder for the report (default: BUNDLE/report)")
    parser.add_argument("--format", default=",".join(write.FORMATS), help="any of %(default)s")
    options = parser.parse_args(argv)
    options.formats = [name.strip() for name in options.format.split(",") if name.strip()]
    unknown = [name for name in options.formats if name not in write.FORMATS]
    if unknown or not options.formats:
        parser.error(f"format '{', '.join(unknown)}' is unknown; expected any of {', '.join(write.FORMATS)}")
    return options


def main(argv):
    options = arguments(argv)
    no_charts = ""
    if importlib.util.find_spec("matplotlib") is None:
        no_charts = "matplotlib is not installed (apt-get install python3-matplotlib)."
        print(f"tickmark report: no charts: {no_charts}", file=sys.stderr)
    try:
        read = bundle.read(options.bundle)
        output = options.output or pathlib.Path(options.bundle) / "report"
        written, failures = write.report(read, output, options.formats, no_charts)
    except (bundle.BundleError, write.OutputError) as error:
        print(f"tickmark report: {error}", file=sys.stderr)
        return 2
    for sentence in (*read.notes, *failures):
        print(f"tickmark report: {sentence}", file=sys.stderr)
    print("\n".join(map(str, written)))
    return 3 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
