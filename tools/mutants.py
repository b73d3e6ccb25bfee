#!/usr/bin/env python3
"""Whether the tests notice small faults: those of tests/mutants/, one at a time.

  tools/mutants.py [--only WORDS] [-j N] [--build FOLDER] [--no-build] [--list] [--find]

All faults are put into one copy of the project as alternatives that TASKFLUX_MUTANT chooses when a test runs, so that the tests
are built once. Each fault then costs one run of the test that is to notice it by failing. Faults in Lua need no build at all:
their scripts are made here, and read by the tests when they start.

  --only WORDS    faults whose file or name contains the words
  --find          for faults without a `test`: runs what `try` names, prints the first case that fails, and writes it down
  --no-build      the tests as they were built last
  --list          the faults and their tests; runs nothing

An entry of tests/mutants/*.mutants, whose first line is what goes wrong:

  a retry rule loses its total time
    in    core/retry.hpp
    code  policy.max_delay(), ⟦policy.total_time() ⇒ duration()⟧, policy.has_full_jitter()
    test  core retry/a_rule_has_all_of_its_policy

`in` is a file below include/taskflux/ (of a script: below broker/redis/lua/). What `code` has outside of and before the arrow
occurs there exactly once, whatever its line breaks; behind the arrow is the fault. A statement (its text ends in `;`)
may be left out whole. `test` is a program of tests/CMakeLists.txt and a filter of Boost.Test; `on redis` is its backend, `hangs`
says that the test notices by not ending. `try` is the same, for --find, with all of a program where there is no filter; a line
`try` above entries holds for those below it. Of a fault in C++ --find runs only the suites that come to its place, the quickest
first: each suite is run once without a fault to see which places these are (noted in the build folder's `reached`).
"""
import argparse
import concurrent.futures
import functools
import hashlib
import os
import pathlib
import re
import subprocess
import sys
import threading
import time
import zlib

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import generate_scripts  # noqa: E402
from generate import Tree  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parent.parent
ENTRIES = "tests/mutants"
LUA = "broker/redis/lua/"
SCRIPTS_HEADER = "include/taskflux/broker/redis/scripts.hpp"
COPIED = ["CMakeLists.txt", "CMakePresets.json", "cmake", "include", "tests"]
LIMIT = 30  # seconds that a case may take
OPEN, ARROW, CLOSE = "⟦", "⇒", "⟧"

PLACES = 1 << 20  # of faults, by their number

HEADER = """#pragma once

#include <taskflux/broker/redis/script.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <deque>
#include <fstream>
#include <iterator>
#include <string>
#include <type_traits>

namespace taskflux::mutants {

inline unsigned long chosen() {
    static const unsigned long number = [] {
        const char* const text = std::getenv("TASKFLUX_MUTANT");
        return text ? std::strtoul(text, nullptr, 10) : 0UL;
    }();
    return number;
}

/// Which faults' places a run comes to: a line a place, written at its end to the file TASKFLUX_MUTANTS_REACHED, if that is named.
struct reached_places {
    std::array<std::atomic<bool>, %(places)d> is_reached{};
    const char* const file = std::getenv("TASKFLUX_MUTANTS_REACHED");
    ~reached_places() {
        if (!file) return;
        std::ofstream out(file);
        for (std::size_t n = 0; n < is_reached.size(); ++n)
            if (is_reached[n]) out << n << '\\n';
    }
};
inline reached_places reached;

inline bool is_here(unsigned long number) {
    if (reached.file) reached.is_reached[number %% reached.is_reached.size()].store(true, std::memory_order_relaxed);
    return chosen() == number;
}

/// Whether a fault is the chosen one; in a constant none is.
constexpr bool is(unsigned long number) { return !std::is_constant_evaluated() && is_here(number); }

/// A script, or in its place that of a file in the folder TASKFLUX_MUTANT_SCRIPTS: its SHA-1, the letters of its keys, its text.
inline redis::script chosen(redis::script as_it_is) {
    const char* const folder = std::getenv("TASKFLUX_MUTANT_SCRIPTS");
    if (!folder) return as_it_is;
    std::ifstream file(std::string(folder) + '/' + std::string(as_it_is.name));
    if (!file) return as_it_is;
    static std::deque<std::string> kept;
    std::string sha1, letters;
    std::getline(file, sha1);
    std::getline(file, letters);
    std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    return {as_it_is.name, kept.emplace_back(sha1), kept.emplace_back(text), kept.emplace_back(letters)};
}

}  // namespace taskflux::mutants
"""


class Mistake(Exception):
    """In an entry, or in the tree: what the user must mend."""


class Test:
    """What is run: a program, a filter of its cases, a backend, and whether it notices by not ending."""

    def __init__(self, text):
        words = text.split()
        self.hangs = "hangs" in words
        if self.hangs:
            words.remove("hangs")
        self.backend = words[words.index("on") + 1] if "on" in words else ""
        if self.backend:
            words = words[:words.index("on")]
        self.program, self.filter = words[0], words[1] if len(words) > 1 else ""
        if len(words) > 2:
            raise Mistake(f"not a test: {text}; expected: PROGRAM FILTER [on BACKEND] [hangs]")

    def __str__(self):
        return " ".join(filter(None, [self.program, self.filter, f"on {self.backend}" if self.backend else "",
                                      "hangs" if self.hangs else ""]))


class Mutant:
    def __init__(self, source, line, name, fields):
        self.source, self.line, self.name = source, line, name
        unknown = set(fields) - {"in", "code", "test", "try"}
        if unknown or not {"in", "code"} <= set(fields):
            raise Mistake(f"{source}:{line}: an entry has `in`, `code` and `test`" + "".join(f"; not `{one}`" for one in unknown))
        self.file, code = fields["in"], fields["code"]
        match = re.fullmatch(f"([^{OPEN}]*){OPEN}(.*?){ARROW}(.*){CLOSE}([^{CLOSE}]*)", code)
        if not match:
            raise Mistake(f"{source}:{line}: code is written … {OPEN}as it is {ARROW} the fault{CLOSE} …")
        self.before, self.right, self.wrong, self.after = match[1], match[2].strip(), match[3].strip(), match[4]
        self.test = Test(fields["test"]) if "test" in fields else None
        self.tries = [Test(one) for one in fields.get("try", "").split(";") if one.strip()]
        self.number = zlib.crc32(name.encode())

    @property
    def is_lua(self):
        return self.file.startswith(LUA)

    def place(self, text):
        """Where in the text of its file the part is that goes wrong: (begin, end)."""
        def spaced(part):
            return r"\s*".join(re.sub(r"^(\w+)$", r"\\b\1\\b", re.escape(word)) for word in re.findall(r"\w+|[^\w\s]", part))

        pattern = f"{spaced(self.before)}\\s*({spaced(self.right)})\\s*{spaced(self.after)}"
        found = list(re.finditer(pattern, text))
        if len(found) != 1:
            raise Mistake(f"{self.source}:{self.line}: {self.name}: its code is {len(found)} times in {self.file}; it must be "
                          "there once")
        return found[0].span(1)


def read_entries(folder):
    mutants, numbers = [], {}
    for path in sorted(folder.glob("*.mutants")):
        source = path.name
        tries, name, at, fields = "", None, 0, {}

        def close():
            if name is not None:
                if "try" not in fields and tries:
                    fields["try"] = tries
                mutants.append(Mutant(source, at, name, fields))

        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if not line.strip() or line.startswith("#"):
                continue
            if line.startswith("try "):
                close()
                name, tries = None, line[4:].strip()
            elif not line.startswith(" "):
                close()
                name, at, fields = line.strip(), number, {}
            else:
                field, _, value = line.strip().partition(" ")
                fields[field] = value.strip()
        close()
    for one in mutants:
        other = numbers.setdefault(one.number, one)
        if other is not one:
            raise Mistake(f"{one.source}:{one.line}: {one.name}: {other.source} has a fault of this name: give it another")
    return mutants


# ------------------------------------------------------------------------------------------------ the mutated tree


def spliced(text, mutants):
    """The text of a C++ file with its faults as alternatives; one may lie within another."""
    places = {}
    for one in mutants:
        places.setdefault(one.place(text), []).append(one)
        check_marked(text, one)
    ordered = sorted(places, key=lambda place: (place[0], -place[1]))

    def part(begin, end):
        """The text from here to there; takes what lies within from `ordered`."""
        out, at = "", begin
        while ordered and ordered[0][0] < end:
            inner = ordered.pop(0)
            if inner[1] > end:
                one = places[inner][0]
                raise Mistake(f"{one.source}:{one.line}: {one.name}: its code overlaps with that of another fault: mark less of it")
            is_statement = text[inner[0]:inner[1]].endswith(";")
            out += text[at:inner[0]] + with_choice(part(*inner), places[inner], is_statement)
            at = inner[1]
        return out + text[at:end]

    return part(0, len(text)).replace("#pragma once\n", "#pragma once\n#include <taskflux/mutants.hpp>\n", 1)


def check_marked(text, one):
    """What is marked must be a whole statement, or an expression: else the copy is no C++, or another program."""
    begin, end = one.place(text)
    if text[end - 1] == ";":
        before = text[:begin].rstrip()
        if not before.endswith((";", "{", "}", ")", ":", "*/")) and not re.search(r"(\belse|//[^\n]*|^#[^\n]*)$", before, re.M):
            raise Mistake(f"{one.source}:{one.line}: {one.name}: mark the statement from its beginning on")
        if re.match(r"(auto|const|constexpr|using)\b", text[begin:end]):
            raise Mistake(f"{one.source}:{one.line}: {one.name}: what is declared is needed behind it: mark the value alone")
    elif re.match(r"(if|for|while|do|switch|return|auto|const|throw|co_return)\b", text[begin:end]):
        raise Mistake(f"{one.source}:{one.line}: {one.name}: mark a whole statement, with its `;`, or an expression within it")


def with_choice(right, mutants, is_statement):
    for one in mutants:
        chosen = f"::taskflux::mutants::is({one.number}UL)"
        if is_statement:
            right = f"if ({chosen}) {{ {one.wrong} }} else {{ {right} }}"
        else:
            is_condition = one.wrong in ("true", "false", f"!({one.right})")
            as_it_is = f"bool({right})" if is_condition else f"({right})"
            right = f"({chosen} ? ({one.wrong}) : {as_it_is})"
    return right


def is_stale(path, text):
    return not path.is_file() or path.read_text(encoding="utf-8") != text


def mutated_text(path, text, by_file):
    """The text of a file of the project in the mutated tree."""
    if path == SCRIPTS_HEADER:
        text = re.sub(r"inline constexpr script (\w+)(\{[^;]*?\});", r"inline const script \1 = mutants::chosen(script\2);", text)
        return text.replace("#pragma once\n", "#pragma once\n#include <taskflux/mutants.hpp>\n", 1)
    mine = by_file.get(path)
    return spliced(text, mine) if mine else text


def write_tree(root, to, mutants):
    """Writes what has changed only, so that only that is compiled again."""
    by_file = {}
    for one in mutants:
        if not one.is_lua:
            by_file.setdefault("include/taskflux/" + one.file, []).append(one)
    wanted = {"include/taskflux/mutants.hpp": HEADER.replace("%(places)d", str(PLACES)).replace("%%", "%")}
    for name in COPIED:
        start = root / name
        for path in [start] if start.is_file() else sorted(start.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                relative = path.relative_to(root).as_posix()
                wanted[relative] = mutated_text(relative, path.read_text(encoding="utf-8", errors="surrogateescape"), by_file)
    for missing in sorted(set(by_file) - set(wanted)):
        one = by_file[missing][0]
        raise Mistake(f"{one.source}:{one.line}: {one.name}: there is no {missing}")
    for name in COPIED:
        for path in (to / name).rglob("*"):
            if path.is_file() and path.relative_to(to).as_posix() not in wanted:
                path.unlink()
    for relative, text in wanted.items():
        path = to / relative
        text = text.encode("utf-8", errors="surrogateescape")
        if not path.is_file() or path.read_bytes() != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text)
    if (root / ".deps").exists() and not (to / ".deps").exists():
        (to / ".deps").symlink_to((root / ".deps").resolve())


class ChangedScripts:
    """All scripts, and what becomes of them when the text of one file is another."""

    def __init__(self, root):
        generate_scripts.words = functools.lru_cache(None)(generate_scripts.words)  # asked for the same texts again and again
        self.scripts = generate_scripts.Scripts(Tree(root))
        self.sources = {path: self.scripts.sources[path] for path in [*self.scripts.declared, *self.scripts.written]}
        self.right = {name: self.scripts.text(name) for name in self.scripts.own}

    def changed(self, path, text):
        """By name: the letters of its keys, and the text, of each script that is another."""
        wrong = self.scripts.with_text(path, text)
        texts = {name: wrong.text(name) for name in wrong.own}
        return {name: ("".join(wrong.parts(name)[0]), text) for name, text in texts.items() if text != self.right[name]}


def write_scripts(root, to, mutants):
    """The scripts that each fault in Lua changes, in a folder of its number."""
    scripts = ChangedScripts(root) if mutants else None
    for one in mutants:
        path = "include/taskflux/" + one.file
        text = scripts.sources.get(path)
        if text is None:
            raise Mistake(f"{one.source}:{one.line}: {one.name}: there is no {path}")
        begin, end = one.place(text)
        different = scripts.changed(path, text[:begin] + one.wrong + text[end:])
        if not different:
            raise Mistake(f"{one.source}:{one.line}: {one.name}: it changes no script")
        folder = to / str(one.number)
        folder.mkdir(parents=True, exist_ok=True)
        for made in folder.iterdir():
            if made.name not in different:
                made.unlink()
        for name, (letters, text) in different.items():
            target, sha1 = folder / name, hashlib.sha1(text.encode()).hexdigest()
            text = f"{sha1}\n{letters}\n{text}"
            if is_stale(target, text):
                target.write_text(text, encoding="utf-8")


def build(folder, programs, jobs):
    tree = folder / "src"
    for command in (["cmake", "--preset", "dev", "-S", str(tree), "-B", str(folder / "build"), "-DTASKFLUX_WERROR=OFF",
                     "-DTASKFLUX_TEST_HOUSE=OFF", "-DTASKFLUX_BUILD_EXAMPLES=OFF", "-DCMAKE_CXX_FLAGS=-w",
                     "-DCMAKE_CXX_FLAGS_DEBUG=-O0", "-DTASKFLUX_TEST_AREAS=" + ";".join(sorted(programs))],
                    ["cmake", "--build", str(folder / "build"), "-j", str(jobs), "--target"] +
                    [f"test_{name}" for name in sorted(programs)]):
        done = subprocess.run(command, cwd=tree, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode:
            raise Mistake(f"{done.stdout[-6000:]}\nfailed: {' '.join(command)}")


# ----------------------------------------------------------------------------------------------------- running

FAILED = re.compile(r'error: in "([^"]+)"|error in "([^"]+)"')
ENTERED = re.compile(r'Entering test (suite|case) "([^"]+)"')
LEFT = re.compile(r"Leaving test (suite|case) ")


def run(folder, test, mutant, limit, stops_early=False, reached=None):
    """(exit code, or None: a case took longer than the limit; the first that failed, or that was under way; the last output)"""
    environment = dict(os.environ, TASKFLUX_MUTANT=str(mutant.number if mutant else 0))
    environment.pop("TASKFLUX_MUTANT_SCRIPTS", None)
    if mutant and mutant.is_lua:
        environment["TASKFLUX_MUTANT_SCRIPTS"] = str(folder / "scripts" / str(mutant.number))
    environment.pop("TASKFLUX_BACKEND", None)
    environment.pop("TASKFLUX_MUTANTS_REACHED", None)
    if reached:
        environment["TASKFLUX_MUTANTS_REACHED"] = str(reached)
    if test.backend:
        environment["TASKFLUX_BACKEND"] = test.backend
    command = [str(folder / "build" / "tests" / f"test_{test.program}"), "--log_level=test_suite", "--color_output=no"]
    command += [f"--run_test={one}" for one in test.filter.split(":") if one]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
                               env=environment, cwd=folder, start_new_session=True)
    heard, has_hung = [time.monotonic()], []

    def watch():
        while process.poll() is None:
            if time.monotonic() - heard[0] > limit:
                has_hung.append(True)
                return end_group(process)
            time.sleep(0.1)

    threading.Thread(target=watch, daemon=True).start()
    path, failed, output = [], None, []
    for line in process.stdout:
        heard[0] = time.monotonic()
        output.append(line)
        del output[:-40]
        entered = ENTERED.search(line)
        if entered:
            path.append(entered[2])
        elif LEFT.search(line) and path:
            path.pop()
        error = FAILED.search(line)
        if error and not failed:
            failed = error[1] or error[2]
            if stops_early:
                end_group(process)
    code = process.wait()
    end_group(process)
    return None if has_hung else code, failed or "/".join(path), "".join(output)


def end_group(process):
    try:
        os.killpg(process.pid, 9)
    except ProcessLookupError:
        pass


def check_plain(folder, tests):
    """Without a fault all pass."""
    together = {}
    for test in tests:
        together.setdefault((test.program, test.backend), set()).add(test.filter)
    for (program, backend), filters in sorted(together.items()):
        one = Test(program + (f" on {backend}" if backend else ""))
        one.filter = "" if "" in filters else ":".join(sorted(filters))
        code, failed, output = run(folder, one, None, 10 * LIMIT)
        if code != 0:
            raise Mistake(f"{output}\nwithout a fault fails: {one.program} {failed} {backend}")


def judge(folder, mutant):
    code, _, _ = run(folder, mutant.test, mutant, LIMIT, stops_early=True)
    if code is None:
        return mutant.test.hangs, "the test does not end" if not mutant.test.hangs else ""
    return code != 0 and not mutant.test.hangs, "the test passes" if code == 0 else "the test fails, and is said to hang"


def trace(folder, test, suite):
    """Runs a suite without a fault, and notes what places it comes to; what is noted is newer than the program."""
    program = folder / "build" / "tests" / f"test_{test.program}"
    noted = folder / "reached" / f"{test.program} {test.backend}" / suite
    if not noted.is_file() or noted.stat().st_mtime < program.stat().st_mtime:
        noted.parent.mkdir(parents=True, exist_ok=True)
        one, begun = Test(f"{test.program} {suite}/*" + (f" on {test.backend}" if test.backend else "")), time.monotonic()
        code, failed, output = run(folder, one, None, 10 * LIMIT, reached=noted)
        if code != 0:
            raise Mistake(f"{output}\nwithout a fault fails: {one} {failed}")
        with open(noted, "a", encoding="utf-8") as out:
            out.write(f"{time.monotonic() - begun:.1f} s\n")
    *places, took = noted.read_text(encoding="utf-8").splitlines()
    return float(took.split()[0]), {int(place) for place in places}


def traced(folder, tests, jobs):
    """By program and backend: each suite's time, name, and the places that it comes to; the quickest first."""
    wanted = {(test.program, test.backend): test for test in tests}
    names = {}
    for key, test in wanted.items():
        listed = subprocess.run([str(folder / "build" / "tests" / f"test_{test.program}"), "--list_content"], check=True,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=folder).stdout
        names[key] = re.findall(r"^([\w<>:]+)\*?(?::.*)?$", listed, re.MULTILINE)
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        work = {key: [pool.submit(trace, folder, test, suite) for suite in names[key]] for key, test in wanted.items()}
        return {key: sorted(((took, suite, places) for suite, (took, places) in
                             zip(names[key], (one.result() for one in work[key]))), key=lambda one: one[:2]) for key in wanted}


def narrowed(test, mutant, suites):
    """The suites of what is tried that come to the fault's place, the quickest first. Of a script it is not known."""
    if mutant.is_lua or test.filter:
        return [test]
    place = mutant.number % PLACES
    return [Test(f"{test.program} {suite}/*" + (f" on {test.backend}" if test.backend else ""))
            for _, suite, places in suites[test.program, test.backend] if place in places]


def find(folder, mutant, suites):
    for test in [one for test in mutant.tries for one in narrowed(test, mutant, suites)]:
        code, failed, _ = run(folder, test, mutant, LIMIT, stops_early=True)
        if code != 0:
            if not failed:
                raise Mistake(f"no case runs by {test}")
            found = Test(str(test))
            found.filter = re.sub(r"/_\d+$", "", re.sub(r"<.*", "*", failed))  # of a template's instances, of a table's rows: all
            found.hangs = code is None
            return found
    return None


def note(root, mutant, test):
    """Writes the found test below its entry."""
    path = root / ENTRIES / mutant.source
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    at = next(n for n, line in enumerate(lines) if line.strip() == mutant.name)
    while at + 1 < len(lines) and lines[at + 1].startswith("  "):
        at += 1
        if lines[at].strip().startswith("try "):
            lines[at] = ""
    lines.insert(at + 1, f"  test  {test}\n")
    path.write_text("".join(lines), encoding="utf-8")


def main():
    arguments = argparse.ArgumentParser(usage=__doc__)
    arguments.add_argument("--only", default="")
    arguments.add_argument("-j", type=int, default=2)
    arguments.add_argument("--build", default=str(ROOT / "build" / "mutants"))
    arguments.add_argument("--no-build", action="store_true")
    arguments.add_argument("--list", action="store_true")
    arguments.add_argument("--find", action="store_true")
    options = arguments.parse_args()
    folder = pathlib.Path(options.build).resolve()
    all_of_them = read_entries(ROOT / ENTRIES)
    mutants = [one for one in all_of_them if options.only in one.source + " " + one.name]
    if options.list:
        for one in mutants:
            print(f"{one.source[:-len('.mutants')]:12} {one.name} -- {one.test or 'not noticed yet'}")
        return 0
    write_tree(ROOT, folder / "src", all_of_them)
    write_scripts(ROOT, folder / "scripts", [one for one in mutants if one.is_lua])
    programs = {test.program for one in mutants for test in ([one.test] if one.test else one.tries)}
    if not options.no_build:
        begun = time.monotonic()
        build(folder, programs, options.j)
        print(f"   built in {time.monotonic() - begun:.0f} s", flush=True)
    noticed, survivors = 0, []
    known = [one for one in mutants if one.test]
    if not options.find:
        check_plain(folder, [one.test for one in known])
    chosen = [one for one in mutants if not one.test] if options.find else mutants
    suites = traced(folder, [test for one in chosen if not one.is_lua for test in one.tries], options.j) if options.find else {}
    with concurrent.futures.ThreadPoolExecutor(options.j) as pool:
        work = {pool.submit(find, folder, one, suites) if options.find else pool.submit(judge, folder, one): one
                for one in chosen if options.find or one.test}
        for done in concurrent.futures.as_completed(work):
            one = work[done]
            if options.find:
                found = done.result()
                if found:
                    note(ROOT, one, found)
                print(f"{one.source}: {one.name}: {found or 'NOT NOTICED'}", flush=True)
                noticed += bool(found)
                survivors += [] if found else [one]
                continue
            is_noticed, why = done.result()
            noticed += is_noticed
            if not is_noticed:
                survivors.append(one)
                print(f"{one.source}:{one.line}: not noticed: {one.name}: {why}: {one.test}", flush=True)
    without = [one for one in mutants if not one.test]
    if without and not options.find:
        print(f"{len(without)} have no test yet: look for it with --find, or write it; --list shows them")
    print(f"{noticed} noticed, {len(survivors)} not")
    return 1 if survivors else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Mistake as mistake:
        sys.exit(f"mutants.py: {mistake}")
