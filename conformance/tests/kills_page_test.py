"""docs/kills.md speaks of the mutants and rules there are: each mutant once, each with a killer or equivalent."""
import pathlib
import re
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
RULES = ROOT / "conformance" / "rules"
REMEDY = "write it again: its second paragraph says how"


def cells(line):
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def rows(text, heading):
    """The rows of the table behind a heading."""
    table = text.split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    return [cells(line) for line in table.splitlines() if line.startswith("|")][2:]


def rules_named(text):
    return re.findall(r"[a-z0-9_]+/[a-z0-9_]+", text)


class KillsPage(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.text = (ROOT / "docs" / "kills.md").read_text()
        cls.mutants = {path.stem: path.read_text() for path in (ROOT / "conformance" / "mutants").glob("*.yaml")}
        cls.by_mutant = {row[0].strip("`"): row for row in rows(cls.text, "By mutant")}
        cls.alone = dict(rows(cls.text, "Mutants that only one rule kills"))

    def test_every_mutant_has_its_row(self):
        self.assertEqual(set(self.by_mutant), set(self.mutants), REMEDY)

    def test_a_mutant_is_killed_or_equivalent_as_its_file_says(self):
        for name, (_, _, killers) in self.by_mutant.items():
            with self.subTest(mutant=name):
                is_equivalent = "equivalent: true" in self.mutants[name]
                self.assertEqual(killers == "none: it is equivalent", is_equivalent)
                self.assertEqual(bool(rules_named(killers)), not is_equivalent)

    def test_every_rule_that_is_named_exists(self):
        named = {rule for row in self.by_mutant.values() for rule in rules_named(row[2])} | set(self.alone)
        self.assertEqual([rule for rule in sorted(named) if not (RULES / f"{rule}.yaml").exists()], [], REMEDY)

    def test_what_a_rule_kills_alone_has_no_other_killer(self):
        for rule, names in self.alone.items():
            for name in names.split(", "):
                with self.subTest(mutant=name):
                    self.assertEqual(rules_named(self.by_mutant[name][2]), [rule])


if __name__ == "__main__":
    unittest.main(verbosity=1)
