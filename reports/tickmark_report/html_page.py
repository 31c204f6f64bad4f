"""The report as one HTML file that loads nothing: styles and pictures are inside, scripts there are none.

Every text that comes from a bundle passes html.escape; SVG comes from matplotlib, which escapes its texts itself.
"""
from html import escape

from tickmark_report import document

CSP = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"

CSS = """
:root{--ink:#1a1a1a;--soft:#595959;--page:#fff;--line:#d9d9d9;--head:#f4f4f2;--warn:#fff4d6;--warnline:#d9a400;
--link:#1f4e8c;color-scheme:light dark}
@media (prefers-color-scheme:dark){:root{--ink:#e8e6e3;--soft:#aaa6a0;--page:#17181a;--line:#3a3c40;--head:#222428;
--warn:#3a3013;--warnline:#d9a400;--link:#8fb8f0}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);font:16px/1.5 system-ui,"Segoe UI","DejaVu Sans",sans-serif}
main,header,nav{max-width:1200px;margin:0 auto;padding:0 20px}
header{padding-top:28px}h1{font-size:1.7rem;margin:0 0 4px}h2{font-size:1.35rem;margin:44px 0 10px;
border-bottom:1px solid var(--line);padding-bottom:4px}h3{font-size:1.02rem;margin:22px 0 6px}
nav{font-size:.9rem;color:var(--soft);margin-top:8px}nav a{margin-right:14px;white-space:nowrap}
a{color:var(--link)}p{max-width:85ch;margin:10px 0}li{max-width:95ch;margin:3px 0}
.banner{background:var(--warn);border-left:5px solid var(--warnline);padding:8px 14px;margin:12px 0}
figure{margin:18px 0 26px}figure .chart{background:#fff;border:1px solid var(--line);border-radius:4px;padding:6px;
overflow-x:auto}figure svg{display:block;width:100%;height:auto;min-width:700px}
figcaption{color:var(--soft);font-size:.92rem;max-width:95ch;margin-top:6px}
.scroll{overflow-x:auto;margin:14px 0}table{border-collapse:collapse;font-size:.86rem;line-height:1.35}
caption{text-align:left;color:var(--soft);padding:0 0 6px;max-width:95ch}
th,td{border:1px solid var(--line);padding:4px 8px;text-align:left;vertical-align:top}
thead th{background:var(--head)}tbody th{font-weight:600}td span{display:block;color:var(--soft)}
td span:first-child{color:inherit}.headlines td span:first-child{white-space:nowrap}
pre{background:var(--head);border:1px solid var(--line);padding:8px 12px;overflow-x:auto;font-size:.86rem}
.swatch{display:inline-block;width:.75em;height:.75em;border-radius:2px;margin-right:.45em;border:1px solid #fff8}
@media print{:root{--ink:#000;--soft:#444;--page:#fff;--line:#bbb;--head:#f2f2f2;--warn:#fff4d6}
body{font-size:10pt}nav{display:none}figure,tr,.banner{break-inside:avoid}h2,h3{break-after:avoid}
main,header{max-width:none;padding:0}.scroll{overflow:visible}table{font-size:7.5pt}figure svg{min-width:0}}
"""


def page(title, subtitle, sections, colours):
    """The whole file. `colours`: {subject id: colour} for the swatches in tables."""
    links = "".join(f'<a href="#{escape(s.id)}">{escape(s.title)}</a> ' for s in sections)
    body = "\n".join(_section(section, colours) for section in sections)
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{escape(CSP)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>{escape(title)}</title>
<style>{CSS}</style>
</head>
<body>
<header><h1>{escape(title)}</h1><p>{escape(subtitle)}</p></header>
<nav>{links}</nav>
<main>
{body}
</main>
</body>
</html>
"""


def _section(section, colours):
    blocks = "\n".join(_block(block, colours) for block in section.blocks)
    return f'<section id="{escape(section.id)}">\n<h2>{escape(section.title)}</h2>\n{blocks}\n</section>'


def _block(block, colours):
    if isinstance(block, document.Paragraph):
        return f"<p>{escape(block.text)}</p>"
    if isinstance(block, document.Banner):
        return f'<p class="banner" role="note">{escape(block.text)}</p>'
    if isinstance(block, document.Bullets):
        return "<ul>\n" + "\n".join(f"<li>{escape(item)}</li>" for item in block.items) + "\n</ul>"
    if isinstance(block, document.Code):
        return f"<pre>{escape(block.text)}</pre>"
    if isinstance(block, document.Heading):
        return f"<h3>{escape(block.text)}</h3>"
    if isinstance(block, document.Picture):
        return _picture(block)
    return _table(block, colours)


def _picture(block):
    svg = block.svg[block.svg.index("<svg"):]
    svg = svg.replace("<svg ", f'<svg role="img" aria-label="{escape(block.title + ". " + block.says)}" ', 1)
    return (f'<figure id="chart-{escape(block.name)}"><div class="chart">{svg}</div>\n'
            f"<figcaption>{escape(block.says)}</figcaption></figure>")


def _table(table, colours):
    head = "".join(f'<th scope="col">{_named(cell, colours)}</th>' for cell in table.head)
    rows = []
    for row in table.rows:
        first = row[0] if isinstance(row[0], list) else [row[0]]
        name = _named(first[0], colours) + "".join(f"<br><small>{escape(line)}</small>" for line in first[1:])
        cells = "".join(f"<td>{_cell(cell)}</td>" for cell in row[1:])
        rows.append(f'<tr><th scope="row">{name}</th>{cells}</tr>')
    caption = f"<caption>{escape(table.caption)}</caption>" if table.caption else ""
    return (f'<div class="scroll"><table class="{escape(table.name)}">{caption}<thead><tr>{head}</tr></thead>\n<tbody>'
            + "\n".join(rows) + "</tbody></table></div>")


def _named(text, colours):
    colour = colours.get(text)
    swatch = f'<span class="swatch" style="background:{escape(colour)}"></span>' if colour else ""
    return swatch + escape(text)


def _cell(cell):
    if isinstance(cell, list):
        return "".join(f"<span>{escape(line)}</span>" for line in cell)
    return escape(cell)
