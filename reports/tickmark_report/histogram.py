"""HdrHistogram interval logs (format 1.3, V2 payloads): counts are exact, so a merge is an addition.

Sources: HdrHistogram (Java), AbstractHistogram.encodeIntoByteBuffer and ZigZagEncoding; harness/stats/hdr_codec.h
states the same facts for the writer.
"""
import base64
import re
import struct
import zlib

_COMPRESSED_COOKIE = 0x1C849314
_PAYLOAD_COOKIE = 0x1C849313
_PRECISION_BITS = (0, 4, 7, 10, 14, 17)
_MAX_PAYLOAD_BYTES = 40 + 9 * (1 << 20)
_MAX_COUNTS = 1 << 20


class HistogramError(Exception):
    """One sentence: what is wrong with the text of a histogram."""


class Histogram:
    """Counts per bucket; values are whole nanoseconds. `precision_bits` is the writer's."""

    def __init__(self, precision_bits, counts=None):
        self.precision_bits = precision_bits
        self.counts = dict(counts or {})

    def count(self):
        return sum(self.counts.values())

    def merge(self, other):
        if other.precision_bits != self.precision_bits:
            raise HistogramError("histograms of different precision do not merge exactly")
        for index, count in other.counts.items():
            self.counts[index] = self.counts.get(index, 0) + count

    def lowest_at(self, index):
        octave = self._octave(index)
        return (index - (octave << self.precision_bits)) << octave

    def highest_at(self, index):
        return self.lowest_at(index) + (1 << self._octave(index)) - 1

    def _octave(self, index):
        half = index >> self.precision_bits
        return 0 if half <= 1 else half - 1

    def cumulative(self):
        """[(largest value of the bucket, how many values are at most that)] over the buckets in use, rising."""
        rows, total = [], 0
        for index in sorted(self.counts):
            total += self.counts[index]
            rows.append((self.highest_at(index), total))
        return rows


def _varints(data):
    at = 0
    while at < len(data):
        value = 0
        for i in range(9):
            if at >= len(data):
                raise HistogramError("a count is cut off")
            byte = data[at]
            at += 1
            value |= (byte if i == 8 else byte & 0x7F) << (7 * i)
            if byte < 0x80:
                break
        yield (value >> 1) ^ -(value & 1)


def decode(text):
    """The Histogram behind the Base64 text of a log line."""
    try:
        raw = base64.b64decode(text, validate=True)
        cookie, length = struct.unpack(">II", raw[:8])
        if cookie != _COMPRESSED_COOKIE or length != len(raw) - 8:
            raise HistogramError("not a compressed HdrHistogram of version 2")
        inflater = zlib.decompressobj()
        payload = inflater.decompress(raw[8:], _MAX_PAYLOAD_BYTES)
        if not inflater.eof:
            raise HistogramError("the compressed data is cut off or absurdly long")
        cookie, count_bytes, offset, digits, lowest, _, ratio = struct.unpack(">IIIIqqd", payload[:40])
    except (ValueError, struct.error, zlib.error) as error:
        raise HistogramError(f"damaged: {error}") from None
    if cookie != _PAYLOAD_COOKIE or digits >= len(_PRECISION_BITS):
        raise HistogramError("unknown encoding version")
    if offset != 0 or lowest != 1 or ratio != 1.0:
        raise HistogramError("shifted or scaled values")
    histogram = Histogram(_PRECISION_BITS[digits])
    index = 0
    for number in _varints(payload[40:40 + count_bytes]):
        if number < 0:
            index -= number
        else:
            if number:
                histogram.counts[index] = number
            index += 1
        if index > _MAX_COUNTS:
            raise HistogramError("more buckets than a histogram of this kind has")
    return histogram


def unescape_tag(tag):
    return re.sub("%([0-9A-Fa-f]{2})", lambda match: chr(int(match[1], 16)), tag)


def index_log(text):
    """({tag: Base64 text}, True if the last line was incomplete and dropped). Nothing is decoded yet."""
    lines = text.split("\n")
    dropped = bool(lines.pop())
    found = {}
    for line in lines:
        fields = line.rstrip("\r").split(",")
        if fields[0].startswith("Tag=") and len(fields) == 5:
            found[unescape_tag(fields[0][4:])] = fields[4]
    return found, dropped
