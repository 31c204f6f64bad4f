"""The report as Markdown that GitHub renders: the same sections, charts as files beside it."""
import re

from tickmark_report import document


def page(title, subtitle, sections, pictures):
    """`pictures`: the suffix of chart files that exist (".svg" or ".png"), "" for none."""
    parts = [f"# {_text(title)}", _text(subtitle)]
    for section in sections:
        parts.append(f"## {_text(section.title)}")
        parts += [_block(block, pictures) for block in section.blocks]
    return "\n\n".join(part for part in parts if part) + "\n"


def _text(text):
    """Literal text: nothing in it is markup, HTML or a line break."""
    text = text.replace("\\", "\\\\")
    text = re.sub(r"([`*_\[\]#|~])", r"\\\1", text)
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\n", " ").replace("\r", " ")


def _block(block, pictures):
    if isinstance(block, document.Paragraph):
        return _text(block.text)
    if isinstance(block, document.Banner):
        return f"> **Note.** {_text(block.text)}"
    if isinstance(block, document.Bullets):
        return "\n".join(f"- {_text(item)}" for item in block.items)
    if isinstance(block, document.Code):
        return _fenced(block.text)
    if isinstance(block, document.Heading):
        return f"### {_text(block.text)}"
    if isinstance(block, document.Picture):
        link = f"![{_text(block.title)}](charts/{block.name}{pictures})\n\n" if pictures else ""
        return f"### {_text(block.title)}\n\n{link}{_text(block.says)}"
    return _table(block)


def _fenced(text):
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}\n{text}\n{fence}"


def _table(table):
    def cell(value):
        lines = value if isinstance(value, list) else [value]
        return "<br>".join(_text(line) for line in lines if line)
    rows = ["| " + " | ".join(cell(value) for value in row) + " |" for row in [table.head, *table.rows]]
    rows.insert(1, "|" + " --- |" * len(table.head))
    return (f"{_text(table.caption)}\n\n" if table.caption else "") + "\n".join(rows)
