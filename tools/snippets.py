#!/usr/bin/env python3
"""Makes a source file of every ```cpp block in Markdown files, so that a build can compile what readers see.

  tools/snippets.py --out FOLDER [--preludes FOLDER] FILE.md...

A block with `int main` becomes program_<file>_<n>.cpp as it stands. Any other becomes snippet_<file>_<n>.cpp.
An HTML comment above a block, which readers do not see, says what is around it:

  <!-- snippet: prelude=worker wrap=coroutine -->

  prelude=NAME    what the text took for granted: <preludes>/NAME.hpp is included (default: default)
  wrap=function   the block is the body of a function
  wrap=coroutine  ... of an asio::awaitable<void>; without wrap it stands at namespace scope
  continues       the block goes on where the one before it in the file ended
  run             (of a program) the build also runs it as a test
  skip="REASON"   not compiled

Prints the names of the files made, one a line, a `run` after those to be run. Files that did not change are
not touched; those of blocks that are gone are removed.
"""
import argparse
import pathlib
import re
import shlex
import sys

DIRECTIVE = re.compile(r"<!--\s*snippet:\s*(.*?)\s*-->\s*$")
OPTIONS = {"prelude", "wrap", "continues", "run", "skip"}
WRAPS = {"", "function", "coroutine"}


class Mistake(Exception):
    pass


class Block:
    def __init__(self, path, line, options, lines):
        self.path, self.line, self.options, self.lines = path, line, options, lines
        self.before = None  # the block that this one continues

    def mistake(self, text):
        return Mistake(f"{self.path}:{self.line}: {text}")

    @property
    def is_program(self):
        return any(re.match(r"\s*int main\s*\(", line) for line in self.lines)

    def check(self):
        unknown = set(self.options) - OPTIONS
        if unknown:
            raise self.mistake(f"unknown snippet option {', '.join(sorted(unknown))}")
        if self.options.get("wrap", "") not in WRAPS:
            raise self.mistake(f"wrap={self.options['wrap']}: it is function or coroutine")
        if "skip" in self.options and not self.options["skip"]:
            raise self.mistake('skip needs a reason: skip="..."')
        if "run" in self.options and not self.is_program:
            raise self.mistake("run is for a block with int main")


def parse_options(text):
    options = {}
    for word in shlex.split(text):
        name, _, value = word.partition("=")
        options[name] = value
    return options


def blocks_of(path):
    """The ```cpp blocks of a Markdown file."""
    found, options, fence, start = [], {}, None, 0
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if fence is None:
            opening = re.match(r"(\s*)(`{3,}|~{3,})\s*(\w*)", line)
            directive = DIRECTIVE.match(line.strip())
            if opening:
                indent, fence, language, lines, start = len(opening[1]), opening[2], opening[3], [], number
            elif directive:
                options = parse_options(directive[1])
            elif line.strip():
                options = {}
        elif line.strip().startswith(fence) and not line.strip().strip(fence[0]):
            if language in ("cpp", "c++"):
                found.append(Block(path, start + 1, options, lines))
            options, fence = {}, None
        else:
            lines.append(line[indent:] if not line[:indent].strip() else line.lstrip())
    if fence is not None:
        raise Mistake(f"{path}:{start}: this code block is not closed")
    for block, before in zip(found, [None, *found]):
        block.check()
        if "continues" in block.options:
            if before is None or before.is_program or "skip" in before.options:
                raise block.mistake("continues: there is no block before it to continue")
            block.before = before
    return found


def content(block):
    """The includes of a block and of those that it continues, and what follows them."""
    includes, body = content(block.before) if block.before else ([], [])
    wrap, inside = block.options.get("wrap", ""), []
    for number, line in enumerate(block.lines, block.line):
        if re.match(r"\s*#\s*include\b", line):
            includes.append(line)
            inside.append("")
        else:
            inside.append(line)
    body.append(f'#line {block.line} "{block.path}"')
    name = f"snippet_at_line_{block.line}"
    if wrap == "function":
        # The opening shares the first line, so that the compiler's line numbers are those of the document.
        inside = [f"void {name}() {{ {inside[0]}", *inside[1:], "}"]
    elif wrap == "coroutine":
        inside = [f"boost::asio::awaitable<void> {name}() {{ {inside[0]}", *inside[1:], "co_return; }"]
    return includes, body + inside


def source_of(block, preludes):
    if block.is_program:
        return "\n".join([f'#line {block.line} "{block.path}"', *block.lines, ""])
    prelude = preludes / (block.options.get("prelude", "default") + ".hpp")
    if not prelude.is_file():
        raise block.mistake(f"there is no prelude {prelude}")
    includes, body = content(block)
    return "\n".join([f'#include "{prelude}"', *includes, *body, ""])


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=pathlib.Path, required=True, help=argparse.SUPPRESS)
    parser.add_argument("--preludes", type=pathlib.Path, default=pathlib.Path("tests/docs"), help=argparse.SUPPRESS)
    parser.add_argument("files", type=pathlib.Path, nargs="*", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)

    made = {}
    try:
        for path in options.files:
            for count, block in enumerate(blocks_of(path), 1):
                if "skip" in block.options:
                    continue
                kind = "program" if block.is_program else "snippet"
                stem = re.sub(r"\W", "_", "_".join([*path.parts[-2:-1], path.stem]).lower())
                made[f"{kind}_{stem}_{count}.cpp"] = (source_of(block, options.preludes), "run" in block.options)
    except Mistake as mistake:
        print(f"snippets.py: {mistake}", file=sys.stderr)
        return 1

    options.out.mkdir(parents=True, exist_ok=True)
    for old in options.out.glob("*.cpp"):
        if old.name not in made:
            old.unlink()
    for name, (text, run) in made.items():
        file = options.out / name
        if not file.is_file() or file.read_text(encoding="utf-8") != text:
            file.write_text(text, encoding="utf-8")
        print(name + (" run" if run else ""))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
