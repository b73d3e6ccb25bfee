#!/usr/bin/env python3
"""Writes the header with the Redis scripts as another version of taskflux might have it: scripts.py ROOT FOLDER.

They do the same, but their texts and so their names on the server are others. FOLDER/taskflux/broker/redis/scripts.hpp
is to be found before the original.
"""
import importlib.util
import pathlib
import shutil
import sys
import tempfile

root, folder = map(pathlib.Path, sys.argv[1:])
description = importlib.util.spec_from_file_location("generate", root / "tools/generate.py")
sys.dont_write_bytecode = True
generate = importlib.util.module_from_spec(description)
description.loader.exec_module(generate)

with tempfile.TemporaryDirectory() as copy:
    scripts = pathlib.Path(copy) / generate.SCRIPTS
    shutil.copytree(root / generate.SCRIPTS, scripts)
    common = scripts / f"{generate.SHARED_SCRIPT}.lua"
    text = common.read_text(encoding="utf-8").replace("local call = redis.call\n", "local call = redis['call']\n")
    common.write_text(text, encoding="utf-8")
    tree = generate.Tree(pathlib.Path(copy))
    generate.generate_scripts(tree)
    for path, text in tree.generated.items():
        out = folder / pathlib.Path(path).relative_to("include")
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(text, encoding="utf-8")
