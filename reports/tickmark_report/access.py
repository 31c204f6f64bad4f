"""Looks into JSON that somebody else wrote: a key that is missing or of another kind is absent, never an error."""
import math
import re

# What XML 1.0 (SVG) and UTF-8 cannot carry, and what would move a terminal's cursor.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


def clean(text):
    """`text` without control characters and lone surrogates; each becomes U+FFFD, so that it is seen."""
    return _UNPRINTABLE.sub("\ufffd", text)


def member(value, key):
    """The object under `key`, or an empty one."""
    found = value.get(key) if isinstance(value, dict) else None
    return found if isinstance(found, dict) else {}


def items(value, key):
    """The list under `key`, or an empty one."""
    found = value.get(key) if isinstance(value, dict) else None
    return found if isinstance(found, list) else []


def objects(value, key):
    """The objects in the list under `key`."""
    return [entry for entry in items(value, key) if isinstance(entry, dict)]


def texts(value, key):
    """The strings in the list under `key`."""
    return [clean(entry) for entry in items(value, key) if isinstance(entry, str)]


def text(value, key, default=""):
    found = value.get(key) if isinstance(value, dict) else None
    return clean(found) if isinstance(found, str) else default


def number(value, key):
    """A finite number as it stands in the document (int or float), or None."""
    found = value.get(key) if isinstance(value, dict) else None
    if isinstance(found, bool) or not isinstance(found, (int, float)):
        return None
    try:
        return found if math.isfinite(found) else None
    except OverflowError:  # an integer beyond every float
        return None


LARGEST = 1e18  # nanoseconds: thirty years; bytes: an exbibyte. Beyond is damage, and no axis could show it.
SMALLEST = 1e-9


def amount(value, key):
    """A measured quantity: 0 to LARGEST, or None. Below SMALLEST it is 0."""
    found = number(value, key)
    if found is None or not 0 <= found <= LARGEST:
        return None
    return found if found >= SMALLEST else 0


def integer(value, key, default=0):
    found = number(value, key)
    return int(found) if found is not None and abs(found) <= LARGEST else default


def flag(value, key, default=False):
    found = value.get(key) if isinstance(value, dict) else None
    return found if isinstance(found, bool) else default


def text_map(value, key):
    """An object of scalars as {str: str}, sorted by key."""
    found = member(value, key)
    return {clean(k): clean(str(found[k])) for k in sorted(found) if isinstance(found[k], (str, int, float))}
