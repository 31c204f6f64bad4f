"""Runs every test_*.py beside it: /usr/bin/python3 -I reports/tests/run.py [pattern]. Exit code 1 if one fails."""
import pathlib
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.dont_write_bytecode = True
sys.path[:0] = [str(HERE.parent), str(HERE)]

if __name__ == "__main__":
    pattern = sys.argv[1] if len(sys.argv) > 1 else "test_*.py"
    found = unittest.defaultTestLoader.discover(str(HERE), pattern=pattern, top_level_dir=str(HERE))
    done = unittest.TextTestRunner(verbosity=1).run(found)
    sys.exit(0 if done.wasSuccessful() and done.testsRun else 1)
