#!/usr/bin/env python3
"""Makes the files that are generated from others, and checks the rules that a compiler does not.

  tools/generate.py            write every generated file that is missing or stale
  tools/generate.py --check    write nothing; exit 1 if a file is stale or a rule is broken

Generated: include/taskflux/broker/redis/scripts.hpp from the .lua files beside it, and
single_include/taskflux/taskflux.hpp and src.hpp.
Rules for include/ (the reasons are in docs/ and in the messages): layers include downwards only, no cycles,
public headers and internal ones in places of their own, at most 400 lines a header, absolute taskflux includes that
exist, no whole-library Boost includes, `#pragma once` first, no macros, one version, everything reachable from the
umbrella header.
Rules for the scripts: see generate_scripts.py.
"""
import argparse
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from generate_scripts import MARKER, check_scripts, generate_scripts  # noqa: E402

MAX_LINES = 400

# The layer of a header by the first folder, or the name of the file, below include/taskflux/. A header
# may include its own layer and those with a smaller rank; two layers of the same rank do not know each other.
LAYERS = {
    "requirements.": ("base", 0),
    "version.": ("base", 0),
    "fwd.": ("base", 0),
    "core": ("core", 1),
    "clock.": ("detail", 2),
    "host.": ("detail", 2),
    "log.": ("detail", 2),
    "stop_on_error.": ("detail", 2),
    "detail/": ("detail", 2),
    "exec": ("exec", 3),
    "broker": ("broker", 3),
    "calls": ("calls", 4),
    "flow": ("flow", 5),
    "admin": ("admin", 6),
    "app": ("app", 7),
    "http": ("http", 8),
    "codec": ("codec", 8),
    "otel": ("otel", 8),
    "testing": ("testing", 8),
    "taskflux.": ("umbrella", 10),
    "src/": ("bodies", 9),
    "src.": ("umbrella", 10),
}

# Folders with a header of their name beside them, which includes what stands directly in the folder: that is public,
# what stands in folders below it is internal.
FLOORS = ["core", "exec", "broker", "calls", "flow", "admin", "app", "http"]

# A single header holds what is reachable from its root, without what the ones it builds on hold already.
SINGLE_HEADERS = [
    ("taskflux.hpp", []),
    ("src.hpp", ["taskflux.hpp"]),
    ("testing.hpp", ["taskflux.hpp"]),
]
# Never part of the umbrella: only who includes it pays for it.
OPTIONAL_LAYERS = {"http", "testing", "codec", "otel"}
OPTIONAL_HEADERS = {"taskflux/app/yaml.hpp", "taskflux/http/tls.hpp", "taskflux/src/http.hpp", "taskflux/src/http_tls.hpp",
                    "taskflux/detail/platform/files.hpp", "taskflux/detail/platform/files.ipp",
                    "taskflux/detail/platform/socket.hpp", "taskflux/detail/platform/socket.ipp"}

# The one place for what an operating system is asked.
PLATFORM = "taskflux/detail/platform/"

# Headers of libraries that look as if they were an operating system's.
LIBRARY_HEADERS = {"zstd.h"}

# Boost headers directly below boost/ that are small; any other there drags in a whole library.
SMALL_BOOST_HEADERS = {"assert", "config", "crc", "cstdint", "current_function", "throw_exception", "version"}

MACROS = {
    "TASKFLUX_VERSION_MAJOR": "read by CMake, and by programs that support several versions",
    "TASKFLUX_VERSION_MINOR": "as above",
    "TASKFLUX_VERSION_PATCH": "as above",
}

# What is defined there is compiled once for a program.
BODIES = ".ipp"

INCLUDE = re.compile(r'\s*#\s*include\s*([<"])([^>"]+)[>"]')
DIRECTIVE = re.compile(r"\s*#\s*(\w+)\s*(\w*)")
OWN = "taskflux/"


class Header:
    """One file below include/: its lines, and the directives in them that matter here."""

    def __init__(self, name, text):
        self.name = name  # as in #include <name>
        self.lines = text.splitlines()
        self.generated = bool(self.lines) and MARKER in self.lines[0]
        self.includes = []    # (line number, opening quote, included name, depth of #if around it)
        self.directives = []  # (line number, directive, its first word)
        depth = 0
        for number, line in enumerate(self.lines, 1):
            directive = DIRECTIVE.match(line)
            if not directive:
                continue
            self.directives.append((number, directive[1], directive[2]))
            if directive[1] in ("if", "ifdef", "ifndef"):
                depth += 1
            elif directive[1] == "endif":
                depth -= 1
            include = INCLUDE.match(line)
            if include:
                self.includes.append((number, include[1], include[2], depth))

    @property
    def layer(self):
        below = self.name[len(OWN):]
        parts = [below.split("/")[0] + "/", below.split(".")[0] + ".", re.split("[/.]", below)[0]]
        return next((LAYERS[part] for part in parts if part in LAYERS), None)

    def own_includes(self):
        return [(number, name) for number, _, name, _ in self.includes if name.startswith(OWN)]


class Tree:
    """The project's files as they would be after generation: what is on disk, under what was generated."""

    def __init__(self, root):
        self.root = root
        self.generated = {}  # path relative to the root -> text

    def read(self, path):
        if path in self.generated:
            return self.generated[path]
        file = self.root / path
        return file.read_text(encoding="utf-8") if file.is_file() else None

    def headers(self):
        found = {path.relative_to(self.root).as_posix() for path in (self.root / "include").rglob("*.[hi]pp")}
        found.update(path for path in self.generated if path.startswith("include/"))
        return {path[len("include/"):]: Header(path[len("include/"):], self.read(path)) for path in sorted(found)}


def reachable(headers, root):
    """The headers that `root` includes, directly or not, and `root`; each after those that it includes."""
    order, seen = [], set()

    def visit(name):
        if name in seen or name not in headers:
            return
        seen.add(name)
        for _, included in headers[name].own_includes():
            visit(included)
        order.append(name)

    visit(root)
    return order


# ---------------------------------------------------------------------------------------------- generation


def generate_single_headers(tree):
    headers = tree.headers()
    for root, bases in SINGLE_HEADERS:
        if OWN + root not in headers:
            raise SystemExit(f"generate.py: include/{OWN}{root} is missing: it says what the single header holds")
        parts, built_on = reachable(headers, OWN + root), []
        for base in bases:
            elsewhere = set(reachable(headers, OWN + base))
            if elsewhere.intersection(parts):
                built_on.append(base)
                parts = [name for name in parts if name not in elsewhere]
        tree.generated[f"single_include/{OWN}{root}"] = single_header(headers, root, parts, built_on)


def single_header(headers, root, parts, built_on):
    external, body = set(), []
    for name in parts:
        header = headers[name]
        # Unconditional includes move to the top, where each is needed once; one inside #if stays where it is.
        moved = {number for number, _, _, depth in header.includes if depth == 0}
        external.update(included for _, _, included, depth in header.includes
                        if depth == 0 and not included.startswith(OWN))
        kept = [line for number, line in enumerate(header.lines, 1)
                if number not in moved and not re.match(r"\s*#\s*pragma\s+once", line)]
        text = re.sub(r"\n{3,}", "\n\n", "\n".join(kept)).strip()
        # A header that only includes others has a comment at most; that one is about the others.
        if re.sub(r"^\s*//.*$", "", text, flags=re.M).strip():
            body.append(f"// {'-' * 20} {name} {'-' * (85 - len(name))}\n\n{text}\n")

    use = ("To be included by exactly one .cpp file of a program: the bodies of what taskflux uses from Boost."
           if root == "src.hpp" else
           f"All of taskflux in one file. Exactly one .cpp file of a program also includes <{OWN}src.hpp>.")
    blocks = [f"// taskflux {version(headers)} - {MARKER}, do not edit\n"
              "// SPDX-License-Identifier: BSL-1.0\n"
              f"//\n// {use}\n", "#pragma once\n"]
    groups = [[OWN + base for base in built_on],
              sorted(name for name in external if name.startswith("boost/")),
              sorted(name for name in external if "/" in name and not name.startswith("boost/") or name.endswith(".h")),
              sorted(name for name in external if "/" not in name and not name.endswith(".h"))]
    blocks += ["\n".join(f"#include <{name}>" for name in group) + "\n" for group in groups if group]
    return "\n".join(blocks + body)


def version(headers):
    lines = headers[OWN + "version.hpp"].lines if OWN + "version.hpp" in headers else []
    found = [re.match(r"#define TASKFLUX_VERSION_\w+ (\d+)", line) for line in lines]
    return ".".join(match[1] for match in found if match)


# In this order: a generator sees what those before it made.
GENERATORS = [generate_scripts, generate_single_headers]


# -------------------------------------------------------------------------------------------------- rules


def check_layers(headers):
    for header in headers.values():
        if header.layer is None:
            yield header, 1, "is in no layer: move it below one of " + ", ".join(sorted(LAYERS))
            continue
        layer, rank = header.layer
        for number, name in header.own_includes():
            included = headers.get(name)
            if name.endswith(BODIES) and not header.name.startswith(OWN + "src"):
                yield header, number, f"<{name}> holds bodies: only <{OWN}src.hpp> and its parts include such files"
            if included is None or included.layer is None:
                continue
            other, other_rank = included.layer
            if other_rank > rank:
                yield header, number, f"{layer} includes <{name}> from {other}, a layer above it"
            elif other_rank == rank and other != layer:
                yield header, number, f"{layer} includes <{name}> from {other}, which is beside it, not below"


def check_cycles(headers):
    done, path = set(), []

    def visit(name):
        if name in path:
            cycle = path[path.index(name):] + [name]
            last = headers[path[-1]]
            number = next(number for number, included in last.own_includes() if included == name)
            yield last, number, "include cycle: " + " -> ".join(cycle)
        elif name not in done and name in headers:
            path.append(name)
            for _, included in headers[name].own_includes():
                yield from visit(included)
            path.pop()
            done.add(name)

    for name in headers:
        yield from visit(name)


def check_includes(headers):
    for header in headers.values():
        for number, quote, name, depth in header.includes:
            boost = re.fullmatch(r"boost/(\w+)\.hpp", name)
            if quote == '"' or name.startswith("."):
                yield header, number, f"relative include of {name}: write #include <{OWN}...>"
            elif boost and boost[1] not in SMALL_BOOST_HEADERS:
                yield header, number, f"<{name}> is a whole library: include the headers that are used"
            elif name.startswith(OWN) and name not in headers:
                yield header, number, f"<{name}> does not exist below include/"
            elif name.startswith(OWN) and depth:
                yield header, number, f"<{name}> is included inside #if, which the single header cannot follow"


def check_platform(headers):
    """What differs by operating system stands in one folder."""
    for header in headers.values():
        if header.name.startswith(PLATFORM):
            continue
        for number, _, name, _ in header.includes:
            if name.endswith(".h") and "/" not in name.replace("sys/", "") and name not in LIBRARY_HEADERS:
                yield header, number, f"<{name}> is not on every platform: only {PLATFORM} includes such headers"


def check_shape(headers):
    for header in headers.values():
        if not header.generated and len(header.lines) > MAX_LINES:
            yield header, MAX_LINES + 1, f"{len(header.lines)} lines, more than {MAX_LINES}: move a part out of it"
        if not header.directives or header.directives[0][1:] != ("pragma", "once"):
            yield header, 1, "#pragma once is missing, or not the first directive"


def check_macros(headers):
    for header in headers.values():
        for number, directive, macro in header.directives:
            if directive == "define" and macro not in MACROS:
                yield header, number, f"defines the macro {macro}: not without a reason, listed in tools/generate.py"


def check_version(headers):
    header = headers.get(OWN + "version.hpp")
    if header and not any(f'version = "{version(headers)}"' in line for line in header.lines):
        yield header, 1, f"the text of version is not {version(headers)}, which the macros say"


def check_umbrella(headers):
    reached = {name for root, _ in SINGLE_HEADERS for name in reachable(headers, OWN + root)}
    for name in sorted(OPTIONAL_HEADERS & reached):
        yield headers[name], 1, f"is for those only who include it, and is reachable from <{OWN}taskflux.hpp>"
    lost = [header for header in headers.values()
            if header.layer and header.layer[0] not in OPTIONAL_LAYERS and header.name not in reached | OPTIONAL_HEADERS]
    # Those that another lost header includes come back with it.
    below = {name for header in lost for name in reachable(headers, header.name) if name != header.name}
    for header in lost:
        if header.name not in below:
            yield header, 1, f"is not reachable from <{OWN}taskflux.hpp>: include it there"


def check_floors(headers):
    """A floor's header is a list of all that is public there, and of nothing else."""
    for floor in FLOORS:
        front = headers.get(f"{OWN}{floor}.hpp")
        public = {name for name in headers if re.fullmatch(rf"{OWN}{floor}/\w+\.hpp", name)} - OPTIONAL_HEADERS
        if front is None:
            for name in sorted(public):
                yield headers[name], 1, f"<{OWN}{floor}.hpp> is missing: it says what is public in {floor}/"
            continue
        listed = {name for _, name in front.own_includes()}
        if len(front.lines) < 3 or not front.lines[2].startswith("// "):
            yield front, 3, f"the third line is not a comment that says what {floor}/ is for"
        for name in sorted(public - listed):
            yield headers[name], 1, f"is public by its place, and not in <{front.name}>: include it there, or move it to a folder"
        for number, name in front.own_includes():
            if name not in public and name in headers:
                yield front, number, f"<{name}> is internal by its place: what is public stands directly in {floor}/"


RULES = [check_layers, check_cycles, check_includes, check_shape, check_macros, check_version, check_umbrella, check_floors,
         check_platform]


def main(arguments):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, usage="tools/generate.py [--check]")
    parser.add_argument("--check", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--root", type=pathlib.Path, default=pathlib.Path(__file__).resolve().parent.parent,
                        help=argparse.SUPPRESS)  # another project tree: for the tests of this script
    options = parser.parse_args(arguments)

    tree = Tree(options.root)
    for generator in GENERATORS:
        generator(tree)
    stale = [path for path, text in tree.generated.items()
             if not (options.root / path).is_file() or (options.root / path).read_text(encoding="utf-8") != text]

    if not options.check:
        for path in stale:
            (options.root / path).parent.mkdir(parents=True, exist_ok=True)
            (options.root / path).write_text(tree.generated[path], encoding="utf-8")
            print(f"wrote {path}")
        return 0

    headers = tree.headers()
    problems = [f"include/{header.name}:{number}: {message}"
                for rule in RULES for header, number, message in rule(headers)]
    problems += check_scripts(tree)
    problems += [f"{path}: stale or missing: run tools/generate.py and commit it" for path in stale]
    for problem in problems:
        print(problem)
    if problems:
        print(f"generate.py --check: {len(problems)} problem{'s' if len(problems) > 1 else ''}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
