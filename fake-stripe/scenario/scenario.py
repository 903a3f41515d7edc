"""Runs every test here against one `souk fake-stripe`, and ends it."""

import sys
import unittest

import support


def main() -> int:
    suite = unittest.defaultTestLoader.discover(".", pattern="test_*.py")
    with support.fake():
        result = unittest.TextTestRunner(verbosity=2, stream=sys.stdout).run(suite)
    failed = len(result.failures) + len(result.errors)
    print(f"\n{result.testsRun - failed} passed, {failed} failed")
    return 1 if failed or not result.testsRun else 0


if __name__ == "__main__":
    sys.exit(main())
