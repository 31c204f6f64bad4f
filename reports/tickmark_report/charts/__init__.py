"""The charts. The directory is the registry: every module here is one chart, drawn where the bundle has its data.

A chart module has a docstring whose first paragraph says what the reader decides from it (the report prints it under
the chart) and

    TITLE   the heading
    GROUP   the section: latency, throughput, cost, busy, storm, stability, conformance
    ORDER   where in its section (smaller is earlier)
    NEEDS   one sentence: what a bundle must hold for this chart; printed when draw() returns None
    draw(bundle, palette) -> Figure | None
"""
import importlib
import pkgutil


def modules():
    """Every chart, in the report's order."""
    names = sorted(info.name for info in pkgutil.iter_modules(__path__))
    found = [importlib.import_module(f"{__name__}.{name}") for name in names]
    return sorted(found, key=lambda module: (module.ORDER, module.__name__))


def says(module):
    """The first paragraph of a chart's docstring as one line."""
    return " ".join(module.__doc__.strip().split("\n\n")[0].split())
