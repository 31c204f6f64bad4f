"""What a report says, free of how it looks: sections of blocks. HTML and Markdown render the same sections."""
import dataclasses


@dataclasses.dataclass
class Paragraph:
    text: str


@dataclasses.dataclass
class Bullets:
    items: list


@dataclasses.dataclass
class Banner:
    """Something the reader must know before any number."""
    text: str


@dataclasses.dataclass
class Code:
    text: str


@dataclasses.dataclass
class Table:
    """Cells are text; a cell may be a list of lines. The first column names the row; `wide` allows scrolling."""
    head: list
    rows: list
    caption: str = ""
    name: str = ""


@dataclasses.dataclass
class Heading:
    text: str


@dataclasses.dataclass
class Picture:
    """A chart by its module's name; `says` is what the reader decides from it."""
    name: str
    title: str
    says: str
    svg: str = ""


@dataclasses.dataclass
class Section:
    id: str
    title: str
    blocks: list
