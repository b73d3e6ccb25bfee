"""What tools/count_tests.py makes of the output of the kinds of programs that CTest runs."""
import importlib.util
import pathlib
import sys
import unittest
import xml.etree.ElementTree

sys.dont_write_bytecode = True
SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "tools" / "count_tests.py"
spec = importlib.util.spec_from_file_location("count_tests", SCRIPT)
count_tests = importlib.util.module_from_spec(spec)
spec.loader.exec_module(count_tests)


def count(status, output):
    test = xml.etree.ElementTree.Element("testcase", status=status)
    xml.etree.ElementTree.SubElement(test, "system-out").text = output
    return count_tests.count(test)


class Count(unittest.TestCase):
    def test_a_plain_program_is_one_test(self):
        self.assertEqual(count("run", "hello"), (1, 0))
        self.assertEqual(count("fail", "hello"), (0, 1))

    def test_a_boost_program_counts_as_its_cases(self):
        head = "Running 14 test cases...\n\nTest module \"taskflux\" has "
        self.assertEqual(count("run", head + "passed with:\n  14 test cases out of 14 passed\n"), (14, 0))
        self.assertEqual(count("fail", head + "failed with:\n  11 test cases out of 14 passed\n"
                                              "  1 test case out of 14 failed\n  2 test cases out of 14 aborted\n"),
                         (11, 3))

    def test_a_boost_program_that_fails_after_its_cases_passed_is_a_failure(self):
        self.assertEqual(count("fail", "  14 test cases out of 14 passed\nERROR: LeakSanitizer"), (14, 1))

    def test_a_unittest_program_counts_as_its_cases(self):
        self.assertEqual(count("run", "Ran 7 tests in 0.1s\n\nOK\n"), (7, 0))
        self.assertEqual(count("fail", "Ran 7 tests in 0.1s\n\nFAILED (failures=2, errors=1)\n"), (4, 3))


if __name__ == "__main__":
    unittest.main()
