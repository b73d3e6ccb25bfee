"""What tools/snippets.py makes of Markdown files, and the mistakes that it names."""
import contextlib
import importlib.util
import io
import pathlib
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "tools" / "snippets.py"
spec = importlib.util.spec_from_file_location("snippets", SCRIPT)
snippets = importlib.util.module_from_spec(spec)
spec.loader.exec_module(snippets)


class Snippets(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        self.document = self.root / "docs" / "Guide-1.md"
        self.document.parent.mkdir()
        for name in ("default", "worker"):
            (self.root / f"{name}.hpp").write_text("")

    def extract(self, text):
        self.document.write_text(text)
        output, errors = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(output), contextlib.redirect_stderr(errors):
            code = snippets.main(["--out", str(self.root / "out"), "--preludes", str(self.root), str(self.document)])
        self.assertEqual(code != 0, bool(errors.getvalue()))
        return errors.getvalue() if code else output.getvalue().splitlines()

    def made(self, name):
        return (self.root / "out" / name).read_text()

    def test_a_program_is_taken_as_it_stands(self):
        self.assertEqual(self.extract("Text\n\n```cpp\n#include <x>\nint main() {}\n```\n"),
                         ["program_docs_guide_1_1.cpp"])
        self.assertEqual(self.made("program_docs_guide_1_1.cpp"),
                         f'#line 4 "{self.document}"\n#include <x>\nint main() {{}}\n')

    def test_a_program_is_run_when_asked_for(self):
        self.assertEqual(self.extract("<!-- snippet: run -->\n```cpp\nint main() {}\n```\n"),
                         ["program_docs_guide_1_1.cpp run"])

    def test_a_block_stands_after_its_prelude_and_its_includes(self):
        self.extract("<!-- snippet: prelude=worker -->\n\n```cpp\n#include <x>\nint a;\n```\n")
        self.assertEqual(self.made("snippet_docs_guide_1_1.cpp"),
                         f'#include "{self.root}/worker.hpp"\n#include <x>\n#line 4 "{self.document}"\n\nint a;\n')

    def test_a_wrapped_block_keeps_its_line_numbers(self):
        self.extract("<!-- snippet: wrap=coroutine -->\n```cpp\nco_await a();\nco_await b();\n```\n")
        self.assertIn(f'#line 3 "{self.document}"\nboost::asio::awaitable<void> snippet_at_line_3() {{ co_await a();\n'
                      "co_await b();\nco_return; }\n", self.made("snippet_docs_guide_1_1.cpp"))
        self.extract("<!-- snippet: wrap=function -->\n```cpp\na();\n```\n")
        self.assertIn("void snippet_at_line_3() { a();\n}\n", self.made("snippet_docs_guide_1_1.cpp"))

    def test_a_block_that_continues_has_what_was_before_it(self):
        self.extract("```cpp\n#include <x>\nint a;\n```\nand\n<!-- snippet: continues wrap=function -->\n"
                     "```cpp\na = 1;\n```\n")
        text = self.made("snippet_docs_guide_1_2.cpp")
        self.assertLess(text.index("#include <x>"), text.index("int a;"))
        self.assertLess(text.index("int a;"), text.index("{ a = 1;"))

    def test_other_languages_and_skipped_blocks_are_left_out(self):
        self.assertEqual(self.extract("```sh\nls\n```\n<!-- snippet: skip=\"a sketch\" -->\n```cpp\n...\n```\n"
                                      "~~~text\n```cpp\nnot code\n~~~\n"), [])

    def test_a_comment_is_for_the_next_block_only(self):
        self.extract("<!-- snippet: prelude=worker -->\nText between.\n```cpp\nint a;\n```\n")
        self.assertIn("default.hpp", self.made("snippet_docs_guide_1_1.cpp"))

    def test_an_indented_block_is_found(self):
        self.extract("- item\n\n  ```cpp\n  int a;\n    int b;\n  ```\n")
        self.assertIn("\nint a;\n  int b;\n", self.made("snippet_docs_guide_1_1.cpp"))

    def test_sources_of_blocks_that_are_gone_are_removed_and_unchanged_ones_not_touched(self):
        self.extract("```cpp\nint a;\n```\n```cpp\nint b;\n```\n")
        kept = self.root / "out" / "snippet_docs_guide_1_1.cpp"
        before = kept.stat().st_mtime_ns
        self.assertEqual(self.extract("```cpp\nint a;\n```\n"), [kept.name])
        self.assertEqual([path.name for path in (self.root / "out").iterdir()], [kept.name])
        self.assertEqual(kept.stat().st_mtime_ns, before)

    def test_mistakes_are_named_with_their_place(self):
        for text, place, message in (
                ("<!-- snippet: warp=function -->\n```cpp\nint a;\n```\n", 3, "unknown snippet option warp"),
                ("<!-- snippet: wrap=class -->\n```cpp\nint a;\n```\n", 3, "wrap=class"),
                ("<!-- snippet: skip -->\n```cpp\nint a;\n```\n", 3, "skip needs a reason"),
                ("<!-- snippet: run -->\n```cpp\nint a;\n```\n", 3, "run is for a block with int main"),
                ("<!-- snippet: continues -->\n```cpp\nint a;\n```\n", 3, "no block before it"),
                ("<!-- snippet: prelude=gone -->\n```cpp\nint a;\n```\n", 3, "there is no prelude"),
                ("```cpp\nint a;\n", 1, "not closed")):
            with self.subTest(message):
                self.assertRegex(self.extract(text), rf"^snippets\.py: {self.document}:{place}: .*{message}")


if __name__ == "__main__":
    unittest.main()
