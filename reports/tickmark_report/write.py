"""Makes the files of a report: report.html, report.md, summary.csv, charts/*.svg and *.png."""
import os
import pathlib

from tickmark_report import access, content, csv_table, html_page, markdown_page
from tickmark_report.content import pictures

FORMATS = ("html", "md", "png", "svg", "csv")


class OutputError(Exception):
    """One sentence: what cannot be written, and what to do."""


def _put(path, data):
    """Whole or not at all: written beside its place and renamed."""
    part = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(data if isinstance(data, bytes) else data.encode("utf-8"))
        os.replace(part, path)
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({error.strerror}); choose another --output.") from None


def _png(figure):
    import io
    out = io.BytesIO()
    figure.savefig(out, format="png", metadata={"Software": None})
    return out.getvalue()


def chart(figure, path):
    """One figure as one file, by its ending: .png or .svg."""
    from tickmark_report import style
    _put(path, style.svg_text(figure, path.stem) if path.suffix == ".svg" else _png(figure))


def _colours(bundle, plotted):
    if not plotted:
        return {}
    from tickmark_report import style
    palette = style.Palette(bundle.subjects)
    return {subject.id: palette.colour(subject.id) for subject in bundle.subjects}


def report(bundle, output, formats, no_charts_because=""):
    """Writes what `formats` ask for; returns (paths written, sentences about charts that failed)."""
    output = pathlib.Path(output)
    # A table alone needs no pictures, which take most of the time.
    drawn = pictures.draw_all(bundle, no_charts_because) if set(formats) != {"csv"} else []
    sections = content.sections(bundle, drawn)
    title = f"tickmark report: {access.text(bundle.plan, 'suite') or 'run'}"
    subtitle = access.text(bundle.plan, "command")
    written = []

    def put(name, data):
        _put(output / name, data)
        written.append(output / name)
    for chart in (chart for chart in drawn if chart.figure is not None):
        if "svg" in formats:
            put(f"charts/{chart.name}.svg", chart.svg)
        if "png" in formats:
            put(f"charts/{chart.name}.png", _png(chart.figure))
    if "csv" in formats:
        put("summary.csv", csv_table.text(bundle))
    if "md" in formats:
        suffix = ".svg" if "svg" in formats else ".png" if "png" in formats else ""
        put("report.md", markdown_page.page(title, subtitle, sections, suffix))
    if "html" in formats:
        put("report.html", html_page.page(title, subtitle, sections, _colours(bundle, not no_charts_because)))
    return written, [f"chart {chart.name} {chart.reason}" for chart in drawn if chart.failed]
