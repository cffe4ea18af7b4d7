"""Runs the tests and reports each in the words of `go test -v`, so that one reader understands both suites.

A test that was skipped counts as failed. Names of tests may be given to run these alone.
"""

import logging
import sys
import unittest


class Report(unittest.TestResult):
    """A line per test; why one failed stands above it."""

    def say(self, verdict, test, why=""):
        print(f"{why}--- {verdict}: {test.id().rsplit('.', 1)[-1]}", flush=True)

    def addSuccess(self, test):
        self.say("PASS", test)

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self.say("FAIL", test, self.failures[-1][1])

    def addError(self, test, err):
        super().addError(test, err)
        self.say("FAIL", test, self.errors[-1][1])

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.say("SKIP", test, f"{reason}\n")


def main():
    logging.basicConfig(level=logging.ERROR)  # the SDK warns of every denial that a test is about
    loader = unittest.TestLoader()
    if sys.argv[1:]:
        loader.testNamePatterns = [f"*.{name}" for name in sys.argv[1:]]
    report = Report()
    loader.discover(".").run(report)
    return 0 if report.testsRun and report.wasSuccessful() and not report.skipped else 1


if __name__ == "__main__":
    sys.exit(main())
