#!/usr/bin/env python3
"""Runs an app as a process: command line, signals, exit codes. program_test.py PROGRAM CONFIG"""
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import unittest

PROGRAM, CONFIG = "", ""
CLEAN = {name: value for name, value in os.environ.items() if not name.startswith("TASKFLUX_")}
LIMIT = 60


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="taskflux ")
        self.addCleanup(shutil.rmtree, self.folder)

    def run_app(self, *arguments, **variables):
        done = subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, timeout=LIMIT,
                              env={**CLEAN, **variables})
        return done.returncode, done.stdout, done.stderr

    def start(self, *arguments, **variables):
        process = subprocess.Popen([PROGRAM, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                   env={**CLEAN, **variables})
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        guard = threading.Timer(LIMIT, process.kill)  # so that no line is waited for without end
        guard.start()
        self.addCleanup(guard.cancel)
        return process

    def write(self, **keys):
        path = os.path.join(self.folder, "app.json")
        with open(path, "w", encoding="utf-8") as file:
            json.dump(keys, file)
        return path

    def read_until(self, stream, beginning):
        for line in stream:
            if line.startswith(beginning):
                return line
        self.fail(f"no line began with {beginning!r}")


class CommandLine(Case):
    def test_help_and_version(self):
        code, out, _ = self.run_app("--help")
        self.assertEqual(code, 0)
        self.assertIn("--check-config", out)
        code, out, _ = self.run_app("--version")
        self.assertEqual(code, 0)
        self.assertRegex(out, r"^taskflux \d+\.\d+\.\d+\n$")

    def test_a_good_config_is_said_to_be_good_and_nothing_runs(self):
        code, out, err = self.run_app("--config", CONFIG, "--check-config")
        self.assertEqual((code, err), (0, ""))
        self.assertRegex(out, r"^the config is valid: taskflux \S+ node=web-1 backend=memory:// queues=default slots=64\n$")
        code, out, _ = self.run_app("--check-config", "--env", "TEST", TASKFLUX_CONFIG=CONFIG)
        self.assertTrue(out.endswith("slots=4 env=TEST\n"), out)
        code, out, _ = self.run_app("--check-config", TASKFLUX_CONFIG=CONFIG, TASKFLUX_ENV="PRODUCTION",
                                    TASKFLUX_URL="redis://:hidden@host", TASKFLUX_CONCURRENCY="7")
        self.assertTrue(out.endswith("backend=redis://:***@host:6379/0 queues=default slots=7 env=PRODUCTION\n"), out)

    def test_what_is_wrong_is_named_and_ends_with_2(self):
        for arguments, variables, end in [
                (["--chek-config"], {}, 'command line: unknown option "--chek-config"; did you mean "--check-config"?'),
                (["--config", "/nowhere.json"], {}, "/nowhere.json: the config file can't be read: No such file or directory"),
                (["--config", self.write(threads=0)], {}, "app.json:1:2: /threads: expected an integer from 1 to 1000, got 0"),
                ([], {"TASKFLUX_LOG_LEVEL": "loud"}, "environment variable TASKFLUX_LOG_LEVEL: /log_level: expected one of"),
                ([], {"TASKFLUX_LOG_PATH": "/nowhere/x"}, "/log_path: the log file /nowhere/x can't be opened"),
                ([], {"TASKFLUX_ENABLED_TASKS": "great"}, 'this program has no task "great"; did you mean "greet"?'),
                (["--env", "PROD"], {}, '--env: /env: expected one of "TEST", "STAGE", "PRODUCTION", got string "PROD"')]:
            code, out, err = self.run_app(*arguments, **variables)
            self.assertEqual((code, out), (2, ""), err)
            self.assertIn(end, err)


class Signals(Case):
    def test_it_says_that_it_has_started_works_and_ends_well(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            log = os.path.join(self.folder, f"{number}.log")
            process = self.start("--config", CONFIG, TASKFLUX_LOG_PATH=log, TASKFLUX_THREADS="3")
            self.assertRegex(process.stdout.readline(), r"^taskflux \S+ node=web-1 backend=memory:// queues=default slots=64$")
            self.read_until(process.stdout, "hello, world")
            self.read_until(process.stdout, "hello, moon")
            process.send_signal(number)
            process.communicate(timeout=LIMIT)
            self.assertEqual(process.returncode, 0)
            with open(log, encoding="utf-8") as file:
                lines = file.read().splitlines()
            for line in lines:
                self.assertRegex(line, r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z (info|warning) ")
            self.assertTrue(any(re.search(r'info greeting moon task="default:~', line) for line in lines))
            self.assertTrue(lines[-1].endswith(" info stopped"))

    def test_what_runs_may_end(self):
        go = os.path.join(self.folder, "go")
        process = self.start("--config", self.scheduled("wait", go))
        self.read_until(process.stdout, "waiting")
        process.send_signal(signal.SIGTERM)
        self.heard(process, "signal: handlers have 30s to finish")
        self.assertIsNone(process.poll())
        with open(go, "w", encoding="utf-8"):
            pass
        out, _ = process.communicate(timeout=LIMIT)
        self.assertIn("waited", out)
        self.assertEqual(process.returncode, 0)

    def test_what_does_not_end_is_cancelled_after_the_drain_time(self):
        process = self.start("--config", self.scheduled("wait", os.path.join(self.folder, "never")), TASKFLUX_DRAIN_FOR="50ms")
        self.read_until(process.stdout, "waiting")
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=LIMIT)
        self.assertNotIn("waited", out)
        self.assertEqual(process.returncode, 0)

    def test_a_second_signal_ends_at_once_also_where_a_handler_blocks_the_only_thread(self):
        process = self.start("--config", self.scheduled("block", None))
        self.read_until(process.stdout, "blocking")
        process.send_signal(signal.SIGTERM)
        self.heard(process, "signal: handlers have")
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=LIMIT)
        self.assertIn("second signal: the process ends at once", err)
        self.assertEqual(process.returncode, 1)

    def scheduled(self, task, payload):
        return self.write(schedules=[{"task": task, "cron": "@every 50ms", "payload": payload}])

    def heard(self, process, text):
        for line in process.stderr:
            if text in line:
                return
        self.fail(f"the log does not say {text!r}")


class Failure(Case):
    def test_a_server_that_is_not_there_is_waited_for(self):
        with socket.socket() as unused:  # bound, and not listening
            unused.bind(("127.0.0.1", 0))
            url = f"redis://:hidden@127.0.0.1:{unused.getsockname()[1]}/?timeout=200ms"
            app = self.start(TASKFLUX_URL=url)
            said = []
            for line in app.stderr:
                said.append(line)
                if "can't start yet, and tries again" in line:
                    break
            else:
                self.fail(f"it has ended: {said}")
            app.send_signal(signal.SIGTERM)
            said.append(app.stderr.read())
            self.assertEqual(app.wait(), 0, said)
        self.assertNotIn("hidden", "".join(said))


if __name__ == "__main__":
    PROGRAM, CONFIG = sys.argv[1:3]
    unittest.main(argv=sys.argv[:1] + sys.argv[3:])
