#!/usr/bin/env python3
"""Runs example 06, the program behind tools/quickstart: program_test.py PROGRAM [unittest's arguments]."""
import hashlib
import json
import os
import pty
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

PROGRAM = ""
NOBODY = 65534


def run(*arguments, cwd=None, **options):
    done = subprocess.run([PROGRAM, *arguments], cwd=cwd, capture_output=True, timeout=300, **options)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def decoded(path):
    """The bytes behind a path of --json."""
    return re.sub(rb"%([0-9A-F]{2})", lambda found: bytes([int(found[1], 16)]), path.encode())


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="taskflux ")
        os.chmod(self.folder, 0o755)
        self.addCleanup(shutil.rmtree, self.folder)

    def write(self, name, content=b"one two\nthree\n"):
        path = os.path.join(os.fsencode(self.folder), os.fsencode(name))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(content)
        return path

    def sparse(self, name, size):
        os.truncate(self.write(name, b""), size)

    def start(self, *arguments, **options):
        process = subprocess.Popen([PROGRAM, *arguments], cwd=self.folder, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True, **options)
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def read_until(self, process, beginning):
        for line in process.stderr:
            if line.startswith(beginning):
                return line
        self.fail(f"no line began with {beginning!r}")


class Results(Case):
    def test_size_lines_words_and_digest_are_those_of_the_files(self):
        contents = {
            "empty": b"",
            "no end of line": b"one two",
            "spaces in its name": b"a\tb\rc\vd\fe  f\n\n\n",
            "sub/folder/deep": b"one two\nthree\n",
            "binary": bytes(range(256)) * 1000,
            "large": (b"0123456789 \n" * 1_747_627)[:20 * 1024 * 1024 + 1],
            b"not UTF-8 \xff\xc3(": b"x",
            "percent %41": b"y",
            "line\nfeed": b"z",
            "Gr\u00fc\u00dfe": b"g",
        }
        for name, content in contents.items():
            self.write(name, content)
        code, out, _ = run("--json", "--tree", self.folder)
        self.assertEqual(code, 0)
        results = {decoded(file["path"]): file["facts"] for file in json.loads(out)["files"]}
        self.assertEqual(set(results), {os.fsencode(name) for name in contents})
        for name, content in contents.items():
            facts = results[os.fsencode(name)]
            self.assertEqual(facts["size"], len(content), name)
            self.assertEqual(facts["lines"], content.count(b"\n"), name)
            self.assertEqual(facts["words"], len(content.split()), name)
            self.assertEqual(facts["sha256"], hashlib.sha256(content).hexdigest(), name)

    def test_agrees_with_wc_and_sha256sum(self):
        path = os.path.realpath(__file__)
        wc = subprocess.run(["wc", "-clw", path], capture_output=True, text=True, check=True).stdout.split()
        digest = subprocess.run(["sha256sum", path], capture_output=True, text=True, check=True).stdout.split()[0]
        _, out, _ = run("--json", path)
        facts = json.loads(out)["files"][0]["facts"]
        self.assertEqual([str(facts[key]) for key in ("lines", "words", "size")] + [facts["sha256"]], wc[:3] + [digest])

    def test_files_are_listed_once_and_sorted(self):
        for name in ("b", "a/2", "a/1", "c"):
            self.write(name)
        _, out, _ = run("--json", "c", "a", "a/1", "b", "c", cwd=self.folder)
        self.assertEqual([file["path"] for file in json.loads(out)["files"]], ["a/1", "a/2", "b", "c"])

    def test_the_tree_is_read_without_its_repository_and_build(self):
        for name in (".git/a", "build/b", ".deps/c", "sub/build/d", "e"):
            self.write(name)
        _, out, _ = run("--json", "--tree", self.folder)
        self.assertEqual([file["path"] for file in json.loads(out)["files"]], ["e", "sub/build/d"])

    def test_links_and_pipes_in_a_folder_are_skipped(self):
        self.write("file")
        os.symlink("file", os.path.join(self.folder, "link"))
        os.symlink(".", os.path.join(self.folder, "loop"))
        os.mkfifo(os.path.join(self.folder, "pipe"))
        code, out, _ = run(".", cwd=self.folder)
        self.assertEqual(code, 0)
        self.assertIn("skipped   3 links", out)
        self.assertIn("1 file measured, 0 failed", out)


class Unreadable(Case):
    def test_a_file_that_cannot_be_read_fails_alone(self):
        self.write("good")
        os.symlink("/nowhere", os.path.join(self.folder, "dangling"))
        os.mkfifo(os.path.join(self.folder, "pipe"))
        code, out, _ = run("dangling", "pipe", "good", "/proc/self/mem", cwd=self.folder)
        self.assertEqual(code, 1)
        self.assertIn("failed    dangling: cannot open: No such file or directory\n", out)
        self.assertIn("failed    pipe: not a regular file\n", out)
        self.assertIn("failed    /proc/self/mem: cannot read: Input/output error\n", out)
        self.assertIn("1 file measured, 3 failed", out)

    def test_missing_permissions_are_reported_for_files_and_folders(self):
        self.write("good")
        os.chmod(self.write("secret"), 0)
        self.write("closed/file")
        os.chmod(os.path.join(self.folder, "closed"), 0)
        self.addCleanup(os.chmod, os.path.join(self.folder, "closed"), 0o700)
        as_user = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}
        try:
            run("--help", **as_user)
        except PermissionError:
            self.skipTest("the program is where nobody else can run it")
        code, out, _ = run(".", cwd=self.folder, **as_user)
        self.assertEqual(code, 1)
        self.assertIn("failed    ./secret: cannot open: Permission denied\n", out)
        self.assertIn("failed    ./closed/: cannot read this folder: Permission denied\n", out)
        self.assertIn("1 file measured, 2 failed", out)


class Usage(Case):
    def assert_refused(self, arguments, *parts):
        code, out, err = run(*arguments, cwd=self.folder)
        self.assertEqual((code, out), (2, ""))
        for part in parts:
            self.assertIn(part, err)

    def test_help_names_options_and_exit_codes(self):
        code, out, err = run("--help")
        self.assertEqual((code, err), (0, ""))
        for part in ("--threads", "--url", "--all", "--json", "--tree", "--worker", "130 interrupted"):
            self.assertIn(part, out)

    def test_mistakes_are_named(self):
        self.assert_refused(["--frobnicate"], "no option --frobnicate", "--threads")
        self.assert_refused(["--threads"], "--threads needs a value")
        self.assert_refused(["--threads", "many"], "--threads many", "from 1 to 256")
        self.assert_refused(["--threads=0"], "--threads 0", "from 1 to 256")
        self.assert_refused(["nowhere\x07"], "nowhere\\x07: no such file or folder")
        self.assert_refused(["."], "no files in .")
        self.assert_refused(["--tree", "nowhere"], "--tree nowhere: no such folder")
        self.assert_refused(["--worker"], "--worker needs --url")

    def test_an_unknown_broker_is_named(self):
        self.write("file")
        self.assert_refused(["--url", "carrier-pigeon://x", "file"], "its scheme is not known", "memory://")

    def test_a_file_may_be_named_like_an_option(self):
        self.write("--all")
        code, out, _ = run("--", "--all", cwd=self.folder)
        self.assertEqual(code, 0)
        self.assertIn("1 file measured", out)


class Shown(Case):
    def test_express_goes_before_bulk(self):
        for i in range(30):
            self.write(f"small {i}", b"x" * i)
            self.write(f"large {i}", b"x" * (20_000 + i))
        _, out, _ = run("--json", "--threads", "1", ".", cwd=self.folder)
        turns = {"express": [], "bulk": []}
        for file in json.loads(out)["files"]:
            turns[file["queue"]].append(file["facts"]["turn"])
        self.assertEqual(sorted(turns["express"]), list(range(1, 31)))
        self.assertEqual(sorted(turns["bulk"]), list(range(31, 61)))
        _, out, _ = run("--threads", "1", ".", cwd=self.folder)
        self.assertIn("order     express 1 to 30; bulk 31 to 60", out)

    def test_the_retries_of_the_flaky_task_back_off(self):
        self.write("file")
        code, out, err = run("file", cwd=self.folder)
        self.assertEqual(code, 0)
        for part in ("attempt 1 failed", "attempt 2 failed", "attempt 3 succeeded"):
            self.assertIn("flaky     " + part, err)
        story = re.search(r"^retry .*attempt 1 .* at 0 ms, attempt 2 .* at (\d+) ms, attempt 3 .* at (\d+) ms$", out, re.M)
        self.assertGreaterEqual(int(story[1]), 100)
        self.assertGreaterEqual(int(story[2]) - int(story[1]), 200)

    def test_a_long_table_shows_the_largest_and_says_what_is_missing(self):
        for i in range(50):
            self.write(f"file {i:02}", b"x" * i)
        _, out, _ = run(".", cwd=self.folder)
        self.assertIn("./file 49\n", out)
        self.assertNotIn("./file 29\n", out)
        self.assertIn("(the 20 largest; --all shows the other 30 too)", out)
        _, out, _ = run("--all", ".", cwd=self.folder)
        self.assertIn("./file 00\n", out)
        self.assertNotIn("--all", out)

    def test_output_that_is_no_terminal_has_no_control_characters(self):
        self.write(b"odd \x1b[31m \xff \xe2\x80\xae name")
        code, out, err = run(".", cwd=self.folder)
        self.assertEqual(code, 0)
        self.assertIn(r"odd \x1B[31m \xFF \xE2\x80\xAE name", out)
        self.assertIn("progress  1/1 files", err)
        self.assertEqual(re.findall(r"[^\n\x20-\x7e]", out + err), [])

    def test_a_terminal_shows_a_bar(self):
        self.write("file")
        ours, theirs = pty.openpty()
        with subprocess.Popen([PROGRAM, "file"], cwd=self.folder, stdout=theirs, stderr=theirs,
                              env={**os.environ, "TERM": "xterm"}) as process:
            os.close(theirs)
            seen = b""
            try:
                while piece := os.read(ours, 65536):
                    seen += piece
            except OSError:  # how Linux tells that the other end is closed
                pass
        os.close(ours)
        self.assertEqual(process.returncode, 0)
        self.assertRegex(seen, rb"\r\[#+-*\] \d+ %  express 1/1[^\r\n]*\x1b\[K")
        self.assertNotIn(b"progress ", seen)


class Interrupted(Case):
    def interrupt(self, number):
        for i in range(400):
            self.sparse(f"file {i}", 8_000_000)
        process = self.start("--threads", "2", ".")
        self.read_until(process, "progress")
        process.send_signal(number)
        out, err = process.communicate(timeout=120)
        self.assertEqual(process.returncode, 130)
        self.assertIn("interrupted: files under way are finished", err)
        measured, given_up = re.search(r"(\d+) files? measured, 0 failed, (\d+) given up", out).groups()
        self.assertEqual(int(measured) + int(given_up), 400)
        self.assertGreater(int(measured), 0)
        self.assertGreater(int(given_up), 0)
        self.assertIn("the table is partial", out)

    def test_ctrl_c_finishes_what_runs_and_shows_a_partial_table(self):
        self.interrupt(signal.SIGINT)

    def test_termination_does_the_same(self):
        self.interrupt(signal.SIGTERM)

    def test_a_second_ctrl_c_quits_at_once(self):
        self.sparse("huge", 1 << 40)
        process = self.start("huge")
        self.read_until(process, "1 file,")
        process.send_signal(signal.SIGINT)
        self.read_until(process, "interrupted")
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=20)
        self.assertEqual((process.returncode, out), (130, ""))

    def test_files_that_vanish_fail_alone(self):
        for i in range(40):
            self.sparse(f"a {i:02}", 8_000_000)
        self.write("vanishing", b"x" * 9_000_000)  # above the average, so served last
        process = self.start("--threads", "1", "--json", ".")
        self.read_until(process, "progress")
        os.remove(os.path.join(self.folder, "vanishing"))
        out, _ = process.communicate(timeout=300)
        self.assertEqual(process.returncode, 1)
        failed = [file for file in json.loads(out)["files"] if file["state"] == "failed"]
        self.assertEqual([(file["path"], file["reason"]) for file in failed],
                         [("./vanishing", "cannot open: No such file or directory")])


SERVER = shutil.which(os.environ.get("TASKFLUX_REDIS_SERVER", "redis-server"))


@unittest.skipUnless(SERVER, "there is no redis-server")
class OverRedis(Case):
    @classmethod
    def setUpClass(cls):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            cls.port = probe.getsockname()[1]
        cls.url = f"redis://127.0.0.1:{cls.port}"
        cls.server = subprocess.Popen([SERVER, "--port", str(cls.port), "--bind", "127.0.0.1", "--save", ""],
                                      stdout=subprocess.DEVNULL)
        cls.addClassCleanup(cls.server.wait)
        cls.addClassCleanup(cls.server.kill)
        while not cls.is_there():
            time.sleep(0.01)

    @classmethod
    def is_there(cls):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", cls.port)) == 0

    def setUp(self):
        super().setUp()
        with socket.create_connection(("127.0.0.1", self.port)) as server:
            server.sendall(b"FLUSHALL\r\n")
            server.recv(100)

    def start_with_worker(self, *arguments, **options):
        """The program, and the number of its worker's process."""
        process = self.start("--url", self.url, *arguments, **options)
        return process, int(self.read_until(process, "the worker runs in process ").split()[-1])

    def many_files(self, count=400):
        for i in range(count):
            self.sparse(f"file {i}", 8_000_000)

    def assert_ends(self, number):
        for _ in range(2000):
            try:
                os.kill(number, 0)
            except ProcessLookupError:
                return
            time.sleep(0.01)
        self.fail(f"process {number} is left")

    def test_a_second_process_runs_the_tasks(self):
        for i in range(50):
            self.write(f"file {i}", b"x" * i)
        process, worker = self.start_with_worker("--json", ".")
        self.assertNotEqual(worker, process.pid)
        out, err = process.communicate(timeout=120)
        self.assertEqual(process.returncode, 0, err)
        self.assertIn("flaky     attempt 3 succeeded", err)
        facts = {file["path"]: file["facts"] for file in json.loads(out)["files"]}
        for i in range(50):
            self.assertEqual(facts[f"./file {i}"]["sha256"], hashlib.sha256(b"x" * i).hexdigest())
        self.assert_ends(worker)

    def test_a_file_that_cannot_be_read_fails_alone(self):
        self.write("good")
        os.mkfifo(os.path.join(self.folder, "pipe"))
        code, out, _ = run("--url", self.url, "pipe", "good", cwd=self.folder)
        self.assertEqual(code, 1)
        self.assertIn("failed    pipe: not a regular file\n", out)
        self.assertIn("1 file measured, 1 failed", out)

    def test_ctrl_c_in_a_terminal_ends_both_when_what_runs_is_finished(self):
        self.many_files()
        process, worker = self.start_with_worker("--threads", "2", ".", start_new_session=True)
        self.read_until(process, "progress")
        os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=120)
        self.assertEqual(process.returncode, 130)
        self.assertIn("interrupted: files under way are finished", err)
        measured, given_up = re.search(r"(\d+) files? measured, 0 failed, (\d+) given up", out).groups()
        self.assertEqual(int(measured) + int(given_up), 400)
        self.assertGreater(int(measured), 0)
        self.assertGreater(int(given_up), 0)
        self.assert_ends(worker)

    def test_a_second_interruption_ends_both_at_once(self):
        self.sparse("huge", 1 << 40)
        process, worker = self.start_with_worker("huge")
        process.send_signal(signal.SIGINT)
        self.read_until(process, "interrupted")
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)
        self.assertEqual(process.returncode, 130)
        self.assert_ends(worker)

    def test_a_killed_worker_is_replaced_and_nothing_is_lost(self):
        self.many_files(40)
        process, worker = self.start_with_worker("--threads", "2", ".")
        self.read_until(process, "progress")
        os.kill(worker, signal.SIGKILL)
        self.read_until(process, f"the worker in process {worker} was killed by signal 9")
        other = int(self.read_until(process, "the worker runs in process ").split()[-1])
        self.assertNotEqual(other, worker)
        out, err = process.communicate(timeout=120)
        self.assertEqual(process.returncode, 0, err)
        self.assertIn("40 files measured, 0 failed", out)
        self.assert_ends(other)

    def test_workers_that_die_again_and_again_end_the_program(self):
        self.sparse("huge", 1 << 40)
        process, worker = self.start_with_worker("huge")
        for _ in range(2):
            os.kill(worker, signal.SIGKILL)
            worker = int(self.read_until(process, "the worker runs in process ").split()[-1])
        os.kill(worker, signal.SIGKILL)
        _, err = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 3)
        self.assertIn(f"the workers die: the last one, process {worker}, was killed by signal 9", err)

    def test_the_worker_does_not_outlive_the_program(self):
        self.many_files()
        process, worker = self.start_with_worker("--threads", "2", ".")
        self.read_until(process, "progress")
        process.kill()
        self.assert_ends(worker)

    def test_a_server_that_is_not_there_is_reported_and_its_password_is_not(self):
        self.write("file")
        code, out, err = run("--url", "redis://:secret@127.0.0.1:1?timeout=200ms", "file", cwd=self.folder)
        self.assertEqual((code, out), (3, ""))
        self.assertIn("127.0.0.1:1", err)
        self.assertNotIn("secret", err)


if __name__ == "__main__":
    PROGRAM = os.path.abspath(sys.argv.pop(1))
    unittest.main()
