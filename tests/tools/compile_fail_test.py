"""What tests/compile_fail/check.py accepts and refuses, given what a compiler says."""
import contextlib
import importlib.util
import io
import pathlib
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
SCRIPT = pathlib.Path(__file__).resolve().parents[1] / "compile_fail" / "check.py"
spec = importlib.util.spec_from_file_location("check", SCRIPT)
check = importlib.util.module_from_spec(spec)
spec.loader.exec_module(check)

CASE = "// expect: describe it\n#ifndef FIXED\n#else\n#endif\n"
GCC = "case.cpp:2:5: error: static assertion failed: describe it\n    2 | f();\n"
CLANG = "case.cpp:2:5: error: static assertion failed due to requirement 'x': describe it\n"


class Check(unittest.TestCase):
    def verdict(self, output, *, source=CASE, fixed=(0, "")):
        with tempfile.TemporaryDirectory() as folder:
            case = pathlib.Path(folder) / "case.cpp"
            case.write_text(source)
            self.addCleanup(setattr, check, "compile_case", check.compile_case)
            check.compile_case = lambda command, _: fixed if "-DFIXED" in command else (1 if output else 0, output)
            with contextlib.redirect_stdout(io.StringIO()):
                return check.main(str(case), ["c++"])

    def test_one_static_assertion_with_the_text_is_right_from_both_compilers(self):
        self.assertEqual(self.verdict(GCC), 0)
        self.assertEqual(self.verdict(CLANG), 0)

    def test_a_case_that_compiles_is_refused(self):
        self.assertIn("compiles, and must not", self.verdict(""))

    def test_a_repair_that_does_not_compile_is_refused(self):
        self.assertIn("must compile with -DFIXED", self.verdict(GCC, fixed=(1, "case.cpp:9:1: error: no g")))

    def test_another_text_is_refused(self):
        self.assertIn("expected one error", self.verdict(GCC.replace("describe it", "no")))

    def test_an_error_that_is_no_static_assertion_is_refused(self):
        self.assertIn("expected one error", self.verdict("case.cpp:2:5: error: no function f: describe it\n"))

    def test_a_second_error_is_refused(self):
        self.assertIn("expected one error", self.verdict(GCC + "case.cpp:3:1: error: no member\n"))

    def test_an_answer_that_does_not_name_what_it_must_is_refused(self):
        self.assertEqual(self.verdict(GCC + "note: with T = circle\n", source="// names: circle\n" + CASE), 0)
        self.assertIn("nothing above names circle", self.verdict(GCC, source="// names: circle\n" + CASE))

    def test_a_case_without_expectation_or_repair_is_refused(self):
        self.assertIn("no line '// expect", self.verdict(GCC, source="#ifndef FIXED\n#endif\n"))
        self.assertIn("no #ifndef FIXED", self.verdict(GCC, source="// expect: describe it\n"))


if __name__ == "__main__":
    unittest.main()
