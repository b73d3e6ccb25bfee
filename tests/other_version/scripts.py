#!/usr/bin/env python3
"""Writes the header with the Redis scripts as another version of taskflux might have it: scripts.py ROOT FOLDER.

They do the same, but their texts and so their names on the server are others. FOLDER/taskflux/broker/redis/scripts.hpp
is to be found before the original.
"""
import pathlib
import shutil
import sys
import tempfile

root, folder = map(pathlib.Path, sys.argv[1:])
sys.dont_write_bytecode = True
sys.path.insert(0, str(root / "tools"))
import generate  # noqa: E402
import generate_scripts  # noqa: E402

with tempfile.TemporaryDirectory() as copy:
    shutil.copytree(root / "include", pathlib.Path(copy) / "include")  # constants of the scripts come from C++
    access = pathlib.Path(copy) / generate_scripts.SHARED_FOLDER / "access.lua"
    before = access.read_text(encoding="utf-8")
    text = before.replace("local call = redis.call\n", "local call = redis['call']\n")
    if text == before:
        sys.exit("tests/other_version/scripts.py: access.lua does not declare `call` as it did: change what is replaced")
    access.write_text(text, encoding="utf-8")
    tree = generate.Tree(pathlib.Path(copy))
    generate_scripts.generate_scripts(tree)
    if problems := generate_scripts.Scripts(tree).tables.problems:
        sys.exit("\n".join(problems))
    for path, text in tree.generated.items():
        out = folder / pathlib.Path(path).relative_to("include")
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(text, encoding="utf-8")
