#!/usr/bin/env python3
"""Runs tools/quickstart: script_test.py SCRIPT BUILD_ROOT [unittest's arguments]. Compiles on its first run."""
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

SCRIPT = ""
BUILD_ROOT = ""
SERVER = shutil.which(os.environ.get("TASKFLUX_REDIS_SERVER", "redis-server"))


def run(*arguments, cwd, script=None, **environment):
    done = subprocess.run([script or SCRIPT, *arguments], cwd=cwd, capture_output=True, text=True, timeout=580,
                          env={**os.environ, "TASKFLUX_BUILD_ROOT": BUILD_ROOT, **environment})
    return done.returncode, done.stdout, done.stderr


class Quickstart(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def test_the_default_is_the_projects_own_tree(self):
        code, out, err = run("--all", cwd=self.folder)
        self.assertEqual(code, 0, err)
        self.assertIn(" tools/quickstart\n", out)
        self.assertNotIn(" .git/", out)
        self.assertNotIn(" build/", out)

    def test_paths_are_those_of_the_caller_and_the_exit_code_that_of_the_program(self):
        with open(os.path.join(self.folder, "mine"), "w", encoding="utf-8") as file:
            file.write("one two\n")
        link = os.path.join(self.folder, "link")
        os.symlink(SCRIPT, link)
        code, out, _ = run("mine", cwd=self.folder, script=link)
        self.assertEqual(code, 0)
        self.assertIn(" mine\n", out)
        self.assertEqual(run("nowhere", cwd=self.folder)[0], 2)

    @unittest.skipUnless(SERVER, "there is no redis-server")
    def test_over_redis_a_second_process_runs_the_tasks(self):
        path = os.path.join(self.folder, "redis.sock")
        with subprocess.Popen([SERVER, "--port", "0", "--unixsocket", path, "--save", "", "--dir", self.folder],
                              stdout=subprocess.DEVNULL) as server:
            try:
                code, out, err = run("--url", "redis+unix://" + path, SCRIPT, cwd=self.folder)
            finally:
                server.kill()
        self.assertEqual(code, 0, err)
        self.assertIn("the worker runs in process ", err)
        self.assertIn("1 file measured, 0 failed", out)

    def test_help_explains_script_and_program(self):
        code, out, _ = run("--help", cwd=self.folder)
        self.assertEqual(code, 0)
        self.assertIn("tools/setup", out)
        self.assertIn("exit codes", out)

    def test_a_build_that_fails_is_shown(self):
        code, out, err = run("mine", cwd=self.folder, TASKFLUX_BUILD_ROOT="/proc/nowhere")
        self.assertEqual((code, out), (70, ""))
        self.assertIn("quickstart: failed: cmake", err)


if __name__ == "__main__":
    SCRIPT = os.path.abspath(sys.argv.pop(1))
    BUILD_ROOT = os.path.abspath(sys.argv.pop(1))
    unittest.main()
