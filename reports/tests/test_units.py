"""Numbers as people read them, against literals: every format prints through these few functions."""
import unittest

from tickmark_report import units


class UnitsTest(unittest.TestCase):
    def test_three_significant_digits_and_no_exponent(self):
        for value, text in ((0, "0"), (0.001234, "0.00123"), (1.234, "1.23"), (12.34, "12.3"), (123.4, "123"),
                            (1234, "1,230"), (48012, "48,000"), (1_234_567, "1,230,000")):
            self.assertEqual(units.digits(value), text)

    def test_the_unit_fits_the_value_and_the_interval_keeps_it(self):
        self.assertEqual(units.quantity(1_234_000, "time"), "1.23 ms")
        self.assertEqual(units.quantity(2048, "bytes"), "2.00 KiB")
        self.assertEqual(units.quantity(48000, "rate"), "48,000/s")
        self.assertEqual(units.with_interval(1_500_000, 900_000, 2_000_000, "time"), "1.50 ms [0.900, 2.00]")
        self.assertEqual(units.with_interval(500, None, None, "time"), "500 ns")

    def test_ratios_say_what_they_can(self):
        self.assertEqual(units.ratio(1.4219, 1.311, 1.549), "1.42× [1.31, 1.55]")
        self.assertEqual(units.ratio(0.0137, None, None), "0.0137×")
        self.assertEqual(units.ratio(819.36, None, None), "819×")

    def test_ticks_and_lengths(self):
        self.assertEqual([units.thousands(v) for v in (0, 500, 48000, 2.5e6)], ["0", "500", "48k", "2.5M"])
        self.assertEqual([units.duration(v) for v in (700_000_000, 2_000_000_000)], ["700 ms", "2 s"])
