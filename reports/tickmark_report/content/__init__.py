"""The sections of a report: each module turns a bundle into document blocks, once for every output format."""
from tickmark_report.content import conformance, limits, machine, method, pictures, reproduce, summary


def sections(bundle, drawn):
    """Every section in reading order; `drawn` are the charts (pictures.draw_all)."""
    found = [summary.section(bundle), *pictures.sections(drawn, before_conformance=True)]
    found.append(conformance.section(bundle, pictures.of_group(drawn, "conformance")))
    found += [method.section(bundle), machine.section(bundle), limits.section(bundle)]
    found.append(reproduce.section(bundle, drawn))
    return [section for section in found if section.blocks]
