"""What tools/mutants.py makes of entries, of C++ and of Lua, without compiling anything."""
import importlib.util
import os
import pathlib
import sys
import tempfile
import textwrap
import unittest
import unittest.mock

sys.dont_write_bytecode = True
ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))
spec = importlib.util.spec_from_file_location("mutants", ROOT / "tools" / "mutants.py")
mutants = importlib.util.module_from_spec(spec)
spec.loader.exec_module(mutants)


def entries(text):
    with tempfile.TemporaryDirectory() as folder:
        (pathlib.Path(folder) / "some.mutants").write_text(textwrap.dedent(text), encoding="utf-8")
        return mutants.read_entries(pathlib.Path(folder))


def entry(code, name="a fault", file="core/x.hpp"):
    return mutants.Mutant("some.mutants", 1, name, {"in": file, "code": code})


class Entries(unittest.TestCase):
    def test_an_entry_is_a_sentence_a_place_and_a_test(self):
        one, other = entries("""
            # A comment.
            try core

            it adds one too many
              in    core/x.hpp
              code  return ⟦a + 1 ⇒ a + 2⟧;
              test  conformance time/it_adds* on redis hangs

            it adds nothing
              in    core/x.hpp
              code  ⟦a += 1; ⇒⟧
        """)
        self.assertEqual((one.name, one.right, one.wrong), ("it adds one too many", "a + 1", "a + 2"))
        self.assertEqual(str(one.test), "conformance time/it_adds* on redis hangs")
        self.assertEqual((one.test.backend, one.test.hangs), ("redis", True))
        self.assertEqual((other.wrong, other.test, [str(t) for t in other.tries]), ("", None, ["core"]))

    def test_what_to_try_holds_for_the_entries_below_it(self):
        text = "".join(f"try {tried}\n\n{name}\n  in core/x.hpp\n  code ⟦{name} ⇒ c⟧\n\n" for tried, name in [("core", "a"), ("exec", "b")])
        self.assertEqual([str(one.tries[0]) for one in entries(text)], ["core", "exec"])

    def test_a_name_that_is_taken_and_what_is_no_entry_are_refused(self):
        with self.assertRaisesRegex(mutants.Mistake, "has a fault of this name"):
            entries("a\n  in x\n  code ⟦b ⇒ c⟧\na\n  in x\n  code ⟦c ⇒ d⟧\n")
        with self.assertRaisesRegex(mutants.Mistake, "not `cod`"):
            entries("a\n  in x\n  cod ⟦b ⇒ c⟧\n")
        with self.assertRaisesRegex(mutants.Mistake, "code is written"):
            entries("a\n  in x\n  code b ⇒ c\n")

    def test_a_number_depends_on_the_name_alone(self):
        self.assertEqual(entry("⟦a ⇒ b⟧").number, entry("⟦c ⇒ d⟧").number)


class Places(unittest.TestCase):
    def test_line_breaks_and_spaces_do_not_matter_and_words_are_whole(self):
        text = "xa =\n    b +  1;\na = b + 1;"
        begin, end = entry("a = ⟦b + 1 ⇒ 2⟧;").place(text)
        self.assertEqual((begin, text[begin:end]), (text.rindex("b"), "b + 1"))

    def test_code_that_is_gone_or_there_twice_is_told_of(self):
        for text, times in (("a - b", 0), ("a + b; a + b", 2)):
            with self.assertRaisesRegex(mutants.Mistake, f"is {times} times in"):
                entry("⟦a + b ⇒ a⟧").place(text)


class Splices(unittest.TestCase):
    def spliced(self, text, *faults):
        text = mutants.spliced("#pragma once\n" + text, faults)
        self.assertTrue(text.startswith("#pragma once\n#include <taskflux/mutants.hpp>\n"))
        for number, one in enumerate(faults):
            text = text.replace(f"::taskflux::mutants::is({one.number}UL)", f"M{number}")
        return text.split("\n", 2)[2]

    def test_an_expression_becomes_a_choice(self):
        self.assertEqual(self.spliced("return a + b;", entry("⟦a + b ⇒ a⟧")), "return (M0 ? (a) : (a + b));")
        self.assertEqual(self.spliced("if (a)", entry("if (⟦a ⇒ false⟧)")), "if ((M0 ? (false) : bool(a)))")

    def test_a_statement_becomes_a_branch(self):
        self.assertEqual(self.spliced("a(); b();", entry("⟦a(); ⇒⟧")), "if (M0) {  } else { a(); } b();")

    def test_faults_of_one_place_and_within_another_stand_together(self):
        self.assertEqual(self.spliced("a + b", entry("⟦a + b ⇒ 1⟧", "x"), entry("⟦a + b ⇒ 2⟧", "y"), entry("⟦a ⇒ 3⟧ + b", "z")),
                         "(M1 ? (2) : ((M0 ? (1) : ((M2 ? (3) : (a)) + b))))")
        with self.assertRaisesRegex(mutants.Mistake, "overlaps"):
            mutants.spliced("a + b + c", [entry("⟦a + b ⇒ 1⟧", "x"), entry("⟦b + c ⇒ 2⟧", "y")])


class Suites(unittest.TestCase):
    def narrowed(self, test, fault, backend="redis"):
        place = fault.number % mutants.PLACES
        suites = {("core", backend): [(0.1, "quick", {place}), (0.2, "elsewhere", {place + 1}), (3.0, "slow", {place, place + 1})]}
        return [str(one) for one in mutants.narrowed(mutants.Test(test), fault, suites)]

    def test_those_that_come_to_the_place_are_run_the_quickest_first(self):
        self.assertEqual(self.narrowed("core on redis", entry("⟦a ⇒ b⟧")), ["core quick/* on redis", "core slow/* on redis"])
        self.assertEqual(self.narrowed("core", entry("⟦a ⇒ b⟧"), ""), ["core quick/*", "core slow/*"])

    def test_what_has_a_filter_and_what_is_in_a_script_is_run_as_it_is(self):
        self.assertEqual(self.narrowed("core slow/a_case on redis", entry("⟦a ⇒ b⟧")), ["core slow/a_case on redis"])
        self.assertEqual(self.narrowed("core on redis", entry("⟦a ⇒ b⟧", file="broker/redis/lua/get.lua")), ["core on redis"])

    def test_a_suite_is_traced_again_when_its_program_is_newer(self):
        def run(folder, test, mutant, limit, stops_early=False, reached=None):
            runs.append(str(test))
            reached.write_text("3\n5\n", encoding="utf-8")
            return 0, "", ""

        runs = []
        with tempfile.TemporaryDirectory() as folder, unittest.mock.patch.object(mutants, "run", run):
            program = pathlib.Path(folder) / "build" / "tests" / "test_core"
            program.parent.mkdir(parents=True)
            program.touch()
            for expected in (1, 1, 2):
                if expected == 2:
                    os.utime(program, (4e9, 4e9))
                self.assertEqual(mutants.trace(pathlib.Path(folder), mutants.Test("core on redis"), "quick")[1], {3, 5})
                self.assertEqual(runs, ["core quick/* on redis"] * expected)


class Tree(unittest.TestCase):
    def test_the_entries_of_the_project_fit_its_files(self):
        of_files = {}
        for one in mutants.read_entries(ROOT / mutants.ENTRIES):
            of_files.setdefault(one.file, []).append(one)
        for file, faults in of_files.items():
            text = (ROOT / "include" / "taskflux" / file).read_text(encoding="utf-8")
            for one in faults:
                with self.subTest(one.name):
                    one.place(text)
            if not file.endswith(".lua"):
                with self.subTest(file):
                    mutants.spliced(text, faults)

    def test_only_what_has_changed_is_written(self):
        with tempfile.TemporaryDirectory() as folder:
            root, to = pathlib.Path(folder) / "root", pathlib.Path(folder) / "to"
            (root / "include/taskflux/core").mkdir(parents=True)
            header = root / "include/taskflux/core/x.hpp"
            header.write_text("#pragma once\nint a = 1;\n", encoding="utf-8")
            for name in mutants.COPIED:
                if not (root / name).exists():
                    (root / name).write_text(name, encoding="utf-8")
            mutants.write_tree(root, to, [entry("int a = ⟦1 ⇒ 2⟧;")])
            made = to / "include/taskflux/core/x.hpp"
            self.assertIn("? (2) : (1)", made.read_text(encoding="utf-8"))
            before = made.stat().st_mtime_ns
            (to / "include/taskflux/core/gone.hpp").write_text("", encoding="utf-8")
            mutants.write_tree(root, to, [entry("int a = ⟦1 ⇒ 2⟧;")])
            self.assertEqual(made.stat().st_mtime_ns, before)
            self.assertFalse((to / "include/taskflux/core/gone.hpp").exists())


class Scripts(unittest.TestCase):
    def test_a_fault_in_what_scripts_share_changes_those_that_use_it(self):
        with tempfile.TemporaryDirectory() as folder:
            one = entry("if ⟦not found[1] ⇒ false⟧ then return most", "p", "broker/redis/lua/shared/admission.lua")
            mutants.write_scripts(ROOT, pathlib.Path(folder), [one])
            made = {path.name for path in (pathlib.Path(folder) / str(one.number)).iterdir()}
            self.assertLessEqual({"fetch", "fetch_plain", "hand_over", "counts"}, made)
            self.assertNotIn("settle", made)
            sha1, letters, text = (pathlib.Path(folder) / str(one.number) / "fetch").read_text(encoding="utf-8").split("\n", 2)
            self.assertEqual(sha1, mutants.hashlib.sha1(text.encode()).hexdigest())
            self.assertTrue(text.startswith(f"local first_own, {', '.join(letters)} = {len(letters) + 1}, unpack(KEYS)\n"))

    def test_a_fault_in_a_small_function_is_put_in_the_place_of_its_calls(self):
        with tempfile.TemporaryDirectory() as folder:
            one = entry("return ⟦run ~= '' ⇒ run == 'x'⟧ and", "p", "broker/redis/lua/shared/server.lua")
            made = pathlib.Path(folder) / str(one.number)
            made.mkdir()
            (made / "report").write_text("of an earlier run", encoding="utf-8")
            mutants.write_scripts(ROOT, pathlib.Path(folder), [one])
            callers = {path.stem for path in (ROOT / mutants.generate_scripts.SCRIPTS).glob("*.lua")
                       if "is_new_server(" in path.read_text(encoding="utf-8")}
            self.assertEqual({path.name for path in made.iterdir()}, callers)
            for caller in callers:
                text = (made / caller).read_text(encoding="utf-8")
                self.assertIn("== 'x' and", text)
                self.assertNotIn("is_new_server", text)

    def test_every_script_can_be_replaced_when_the_tests_start(self):
        header = mutants.mutated_text(mutants.SCRIPTS_HEADER, (ROOT / mutants.SCRIPTS_HEADER).read_text(encoding="utf-8"), {})
        self.assertNotIn("constexpr script ", header)
        self.assertEqual(header.count("mutants::chosen(script{"),
                         len(list((ROOT / mutants.generate_scripts.SCRIPTS).glob("*.lua"))))


if __name__ == "__main__":
    unittest.main()
