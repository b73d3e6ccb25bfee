#!/usr/bin/env python3
"""Prints how many tests passed and failed in CTest's JUnit files: count_tests.py FILE.xml... -> "PASSED FAILED".

A program of Boost.Test (report level short) or of unittest counts as its cases, any other as one test.
"""
import re
import sys
import xml.etree.ElementTree

BOOST = re.compile(r"^\s*(\d+) test cases? out of \d+ (passed|failed|aborted)", re.M)
UNITTEST = re.compile(r"^Ran (\d+) tests? in .*\n\n(?:OK|FAILED \((.*)\))", re.M)


def count(test):
    """What one CTest test stands for: (passed, failed)."""
    output = test.findtext("system-out") or ""
    succeeded = test.get("status") == "run"
    passed = failed = 0
    for number, outcome in BOOST.findall(output):
        if outcome == "passed":
            passed += int(number)
        else:
            failed += int(number)
    for number, failures in UNITTEST.findall(output):
        broken = sum(int(value) for value in re.findall(r"(?:failures|errors)=(\d+)", failures))
        passed += int(number) - broken
        failed += broken
    if succeeded:
        return passed or 1, failed
    # A program may also fail outside its cases: by a crash, a leak, a time limit.
    return passed, failed or 1


def main(files):
    totals = [count(test) for file in files for test in xml.etree.ElementTree.parse(file).iter("testcase")]
    print(sum(passed for passed, _ in totals), sum(failed for _, failed in totals))


if __name__ == "__main__":
    main(sys.argv[1:])
