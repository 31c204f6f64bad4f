"""Where it was measured, and with which versions."""
from tickmark_report import access, units
from tickmark_report.document import Bullets, Heading, Paragraph, Section, Table


def section(bundle):
    blocks = _machine(bundle) + _versions(bundle)
    tool = access.text_map(bundle.plan, "tool")
    if tool:
        blocks.append(Paragraph("Tool: " + ", ".join(f"{key} {value}" for key, value in tool.items()) + "."))
    return Section("machine", "Machine and versions", blocks)


def _machine(bundle):
    if not bundle.machine:
        return [Paragraph("machine.json is missing: nothing is known of the machine.")]
    rows = []
    for key in sorted(bundle.machine):
        value = bundle.machine[key]
        if key in ("schema", "warnings") or isinstance(value, (dict, list)) or value is None or value == "":
            continue
        number = access.number(bundle.machine, key)
        if number is not None and key.endswith("_bytes"):
            value = units.quantity(number, "bytes")
        elif number is not None and "_ns" in key:
            value = units.quantity(number, "time")
        elif isinstance(value, float):
            value = units.digits(value) if number is not None else "–"
        elif isinstance(value, bool):
            value = "yes" if value else "no"
        rows.append([access.clean(key.replace("_bytes", "").replace("_ns", "").replace("_", " ")),
                     access.clean(str(value))])
    blocks = [Table(["machine", ""], rows, "", "machine")]
    warnings = access.texts(bundle.machine, "warnings")
    return blocks + ([Heading("Warnings about this machine"), Bullets(warnings)] if warnings else [])


def _versions(bundle):
    rows = []
    for subject in bundle.subjects:
        if not subject.available:
            continue
        versions = ", ".join(f"{key} {value}" for key, value in subject.versions.items())
        options = ", ".join(f"{key}={value}" for key, value in subject.options.items())
        rows.append([subject.id, versions or "not reported", options or "–"])
    return [Table(["subject", "versions (crypto library included)", "options"], rows, "", "versions")] if rows else []
