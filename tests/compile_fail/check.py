#!/usr/bin/env python3
"""Checks that a mistake is answered by one readable line: check.py CASE.cpp COMPILER FLAGS...

The case says in comments
  // expect: TEXT      what a static_assert must tell, as the only error
  // names: TEXT       (optional) what else the compiler's answer must name, such as the type at fault
  // only: GNU 12      (optional, read by CMakeLists.txt) the one compiler that it is about
It holds the mistake in `#ifndef FIXED` and its repair in `#else`, which must compile: so it cannot fail to compile
for another reason.
"""
import os
import re
import subprocess
import sys


def compile_case(command, case):
    environment = {**os.environ, "LC_ALL": "C", "GCC_COLORS": "", "CCACHE_DISABLE": "1"}
    done = subprocess.run([*command, "-fsyntax-only", case], env=environment, stderr=subprocess.PIPE, text=True)
    return done.returncode, done.stderr


def main(case, command):
    with open(case, encoding="utf-8") as file:
        source = file.read()
    expected = re.search(r"^// expect: (.+?)\s*$", source, re.M)
    if not expected:
        return f"{case}: no line '// expect: TEXT'"
    if not re.search(r"^#\s*if.*\bFIXED\b", source, re.M):
        return f"{case}: no #ifndef FIXED, so nothing shows that the rest of it compiles"

    code, output = compile_case([*command, "-DFIXED"], case)
    if code != 0:
        return f"{output}\n{case}: must compile with -DFIXED, and does not"

    code, output = compile_case(command, case)
    if code == 0:
        return f"{case}: compiles, and must not"
    errors = [line for line in output.splitlines() if re.search(r": (fatal )?error: ", line)]
    if len(errors) != 1 or "static assertion failed" not in errors[0] or expected[1] not in errors[0]:
        found = "\n".join("  " + line for line in errors)
        return f"{output}\n{case}: expected one error, of a static_assert with the text\n  {expected[1]}\nfound\n{found}"
    names = re.search(r"^// names: (.+?)\s*$", source, re.M)
    if names and names[1] not in output:
        return f"{output}\n{case}: nothing above names {names[1]}"
    print(errors[0])
    return 0


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1], sys.argv[2:]))
