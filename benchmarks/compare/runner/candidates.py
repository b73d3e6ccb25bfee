"""Who is compared, and how to talk with their processes."""
import os
import select
import subprocess
from dataclasses import dataclass

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PROJECT = os.path.dirname(os.path.dirname(HERE))
BUILD = os.path.join(PROJECT, os.environ.get("TASKFLUX_BENCHMARK_BUILD", os.path.join("build", "release")))
MODULES = os.path.join(PROJECT, "build", "compare")
PATIENCE = 120


@dataclass
class Candidate:
    name: str
    command: list
    share: float         # of --tasks: a round of each takes about as long
    keeps: bool = True   # results

    def tasks(self, most):
        return max(200, int(most * self.share))


def compiled(name):
    return [os.path.join(BUILD, "benchmarks", "bench_compare_" + name)]


def script(interpreter, file):
    return [interpreter, os.path.join(HERE, "candidates", file)]


# Debian's packages belong to Debian's interpreters.
ALL = [
    Candidate("taskflux", compiled("taskflux"), 1),
    Candidate("floor", compiled("floor"), 1, keeps=False),
    Candidate("bee-queue", script("node", "bee_queue.js"), 0.4),
    Candidate("bullmq", script("node", "bullmq.js"), 0.2),
    Candidate("sidekiq", script("/usr/bin/ruby", "sidekiq.rb"), 0.3, keeps=False),
    Candidate("celery", script("/usr/bin/python3", "celery_part.py"), 0.05),
    Candidate("rq", script("/usr/bin/python3", "rq_part.py"), 0.02),
]


class Part:
    """A process of a candidate. It says `ready`, hears `go`, says `sample <start> <result>` for each task when
    latency is asked, and `done <begin> <end>`: nanoseconds, of the clock that all processes of the machine share."""

    def __init__(self, candidate, verb, port, tasks):
        environment = dict(os.environ, NODE_PATH=os.path.join(MODULES, "node_modules"), NODE_ENV="production",
                           PYTHONDONTWRITEBYTECODE="1", C_FORCE_ROOT="1")
        self.what = f"{candidate.name} {verb}"
        self.log = open(os.path.join(MODULES, f"{candidate.name}.log"), "ab")
        self.process = subprocess.Popen(candidate.command + [verb, str(port), str(tasks)], cwd=MODULES,
                                        env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=self.log, bufsize=0)
        self.unread = b""

    def __enter__(self):
        self.expect("ready")
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()
        self.log.close()

    def go(self):
        self.process.stdin.write(b"go\n")

    def done(self):
        begin, end = map(int, self.expect("done"))
        return begin, end

    def samples(self):
        found = []
        while True:
            word, *numbers = self.line()
            if word == "done":
                return found
            if word == "sample":
                found.append(tuple(map(int, numbers)))

    def expect(self, wanted):
        while True:
            word, *rest = self.line()
            if word == wanted:
                return rest

    def line(self):
        while b"\n" not in self.unread:
            readable, _, _ = select.select([self.process.stdout], [], [], PATIENCE)
            more = os.read(self.process.stdout.fileno(), 65536) if readable else b""
            if not more:
                self.process.kill()
                raise RuntimeError(f"{self.what} ended or hangs; see {self.log.name}")
            self.unread += more
        line, self.unread = self.unread.split(b"\n", 1)
        return line.decode().split() or [""]
