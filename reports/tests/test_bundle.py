"""The reader of bundles: schemas, cut-off lines, hostile content, and the words for what cannot be read."""
import json
import unittest

import support
from tickmark_report import access, bundle, selection


class BundleTest(unittest.TestCase):
    def test_whole_bundle_is_read_without_notes(self):
        read = bundle.read(support.whole())
        self.assertEqual(read.notes, [])
        self.assertEqual(read.status, "complete")
        self.assertEqual(len(read.trials), len(support.records(support.whole(), "trials.ndjson")))
        self.assertEqual(len(read.comparisons),
                         len(json.loads((support.whole() / "analysis.json").read_text())["comparisons"]))

    def test_incomplete_last_line_is_dropped_with_a_note(self):
        for name in ("trials.ndjson", "conformance.ndjson", "histograms.hlog"):
            folder = support.copy()
            path = folder / name
            before = bundle.read(folder)
            path.write_bytes(path.read_bytes()[:-20])
            read = bundle.read(folder)
            self.assertTrue(any(name in note and "incomplete" in note for note in read.notes), read.notes)
            if name == "trials.ndjson":
                self.assertEqual(len(read.trials), len(before.trials) - 1)

    def test_unknown_major_is_refused(self):
        for name, schema in (("plan.json", "tickmark.plan/2"), ("machine.json", "tickmark.machine/9"),
                             ("end.json", "other.end/1"), ("analysis.json", "tickmark.analysis/x")):
            folder = support.copy()
            support.edit(folder, name, lambda document: document.update(schema=schema))
            with self.assertRaises(bundle.BundleError) as caught:
                bundle.read(folder)
            self.assertIn(schema, str(caught.exception))
            self.assertIn(name, str(caught.exception))

    def test_a_minor_version_is_read(self):
        folder = support.copy()
        support.edit(folder, "plan.json", lambda document: document.update(schema="tickmark.plan/1.3", new_key=[1]))
        self.assertEqual(bundle.read(folder).notes, [])

    def test_unreadable_is_one_sentence(self):
        folder = support.scratch()
        with self.assertRaisesRegex(bundle.BundleError, "no plan.json"):
            bundle.read(folder)
        with self.assertRaisesRegex(bundle.BundleError, "no such folder"):
            bundle.read(folder / "nowhere")
        (folder / "plan.json").write_text("{")
        with self.assertRaisesRegex(bundle.BundleError, "not JSON"):
            bundle.read(folder)
        folder = support.copy()
        (folder / "trials.ndjson").write_text("nonsense\n")
        with self.assertRaisesRegex(bundle.BundleError, "line 1"):
            bundle.read(folder)

    def test_an_analysis_of_another_plan_is_left_out(self):
        folder = support.copy()
        support.edit(folder, "analysis.json", lambda document: document.update(plan_hash="other"))
        read = bundle.read(folder)
        self.assertEqual(read.comparisons, [])
        self.assertTrue(any("another plan" in note for note in read.notes))

    def test_control_characters_and_lone_surrogates_become_visible(self):
        read = bundle.read(support.whole())
        caveat = read.subject("node_cluster").caveat
        self.assertNotIn("\x1b", caveat)
        caveat.encode("utf-8")
        self.assertIn("\ufffd", caveat)

    def test_invalid_trials_enter_no_point(self):
        read = bundle.read(support.whole())
        cell = read.cell("sockets/open/5000/90")
        point = selection.point(read, cell, "latency_ns_p99", "cluster")
        self.assertFalse(point.valid)
        self.assertIn("other programs used", point.reason)
        self.assertTrue(selection.point(read, cell, "latency_ns_p99", "reference_loop").valid)
        crashed = selection.point(read, read.cell("crypto/mix/open/64/50"), "latency_ns_p99", "node_cluster")
        self.assertIsNone(crashed.value)
        self.assertIn("SIGSEGV", crashed.reason)

    def test_only_ok_and_saturated_trials_count(self):
        """An invalid trial has metrics, and families that by themselves look valid."""
        folder = support.copy()
        (folder / "analysis.json").unlink()
        found = support.records(folder, "trials.ndjson")
        for record in found:
            if record["cell"] == "sockets/closed/64" and record["subject"] == "libuv":
                record |= {"status": "invalid", "reason": "the generator lost count"}
                record["validity"] = {"cpu": {"valid": True, "reasons": []}}
        support.write_records(folder, "trials.ndjson", found)
        read = bundle.read(folder)
        point = selection.point(read, read.cell("sockets/closed/64"), "cpu_ns_per_request", "libuv")
        self.assertFalse(point.valid)
        self.assertEqual(point.reason, "the generator lost count")

    def test_quantities_beyond_reason_are_absent(self):
        for value in (-1, 1e308, 10 ** 400, float("nan"), float("inf"), True, "5", None, [1]):
            self.assertIsNone(access.amount({"x": value}, "x"), value)
        self.assertEqual([access.amount({"x": v}, "x") for v in (0, 1e-300, 7, 2.5)], [0, 0, 7, 2.5])

    def test_points_are_those_of_the_analysis(self):
        read = bundle.read(support.whole())
        for comparison in read.comparisons:
            if comparison.metric in ("latency_ns_p99", "throughput_per_s"):
                point = selection.point(read, read.cell(comparison.cell), comparison.metric, comparison.subject)
                self.assertEqual((point.value, point.low, point.high),
                                 (comparison.estimate, comparison.low, comparison.high))
