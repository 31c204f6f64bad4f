"""The reader of HdrHistogram logs against known bytes, known counts and damage."""
import base64
import random
import struct
import unittest

import synthetic
from tickmark_report import histogram

class HistogramTest(unittest.TestCase):
    def test_values_come_back_within_a_thousandth(self):
        rng = random.Random(1)
        values = sorted(int(rng.lognormvariate(12, 2)) for _ in range(5000))
        read = histogram.decode(synthetic.encode_histogram(values))
        self.assertEqual(read.count(), len(values))
        for top, rank in read.cumulative():
            true = values[rank - 1]
            self.assertGreaterEqual(top, true)
            self.assertLessEqual(top - true, true / 1024 + 1)

    def test_small_values_are_exact(self):
        read = histogram.decode(synthetic.encode_histogram([0, 1, 1, 2047]))
        self.assertEqual(read.cumulative(), [(0, 1), (1, 3), (2047, 4)])

    def test_reads_what_other_implementations_wrote(self):
        """HdrHistogram_c's own test histogram, 10,000 x 1,000 and 1 x 100,000,000; and 100, 200, 250."""
        standard = histogram.decode("HISTFAAAACl4nJNpmSzMwMBgyAABzFCaEURcm7yEwf4DROA8/4I5jNM7mJgAlWkH9g==")
        (low, first), (high, both) = standard.cumulative()
        self.assertEqual((low, first, both), (1000, 10_000, 10_001))
        self.assertLess(abs(high - 1e8), 1e8 / 1024)
        three = histogram.decode("HISTFAAAACV4nJNpmSzMwMDAwQABzFCaEUrp2H+AsI4zMh1lZEpkAgBdIQSk")
        self.assertEqual(three.cumulative(), [(100, 1), (200, 2), (250, 3)])

    def test_merge_adds_counts(self):
        one, two = ([5, 1000, 70_000], [5, 90_000_000])
        merged = histogram.decode(synthetic.encode_histogram(one))
        merged.merge(histogram.decode(synthetic.encode_histogram(two)))
        self.assertEqual(merged.counts, histogram.decode(synthetic.encode_histogram(one + two)).counts)

    def test_damage_is_one_error(self):
        good = synthetic.encode_histogram([1, 2, 3, 500_000])
        raw = base64.b64decode(good)
        for bad in ("", "!!!", good[:-8], base64.b64encode(raw[:20]).decode(), base64.b64encode(b"x" * 60).decode(),
                    base64.b64encode(raw[:8] + b"\0" * (len(raw) - 8)).decode()):
            with self.assertRaises(histogram.HistogramError, msg=bad):
                histogram.decode(bad)

    def test_a_stream_that_stops_early_is_damage(self):
        """Right length, right start, but the end and its checksum are gone."""
        raw = base64.b64decode(synthetic.encode_histogram(range(1, 4000)))[8:-6]
        with self.assertRaises(histogram.HistogramError):
            histogram.decode(base64.b64encode(struct.pack(">II", 0x1C849314, len(raw)) + raw).decode())

    def test_tags_are_unescaped(self):
        found, dropped = histogram.index_log("#[x]\nTag=a%2Cb%20%25c,0,1,2,AAA\nTag=cut,0,1")
        self.assertEqual(found, {"a,b %c": "AAA"})
        self.assertTrue(dropped)
