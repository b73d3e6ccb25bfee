#!/usr/bin/env python3
"""How far a step of a search looks among many tasks, and what that costs a Redis server.

    python3 benchmarks/search.py [tasks, default 3000000]

Starts a server of its own, stores the tasks as taskflux does (once as plain ones that came together, once as ones with keys), calls the
script `search` from the newest number down, and prints the server's CPU time and the numbers of tasks a step; of the second half, which
has ended, one in a thousand has failed. Needs redis-server and about 2 GB of memory.
"""
import pathlib
import socket
import struct
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))
sys.dont_write_bytecode = True
from generate import Tree  # noqa: E402
from generate_scripts import Scripts  # noqa: E402

NAME, STEPS = b"send_mail", 40
WAITING, SUCCEEDED, FAILED = 2, 5, 6
FAILURE = b'{"code":"task_failed","type":"","message":"why","pointer":"","expected":""}'
DAY = 24 * 3600 * 1000


class Server:
    def __init__(self):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.folder = tempfile.TemporaryDirectory()
        self.process = subprocess.Popen(["redis-server", "--port", str(port), "--save", "", "--appendonly", "no", "--dir",
                                         self.folder.name], stdout=subprocess.DEVNULL)
        while True:
            try:
                self.socket = socket.create_connection(("127.0.0.1", port))
                break
            except OSError:
                time.sleep(0.05)
        self.replies = self.socket.makefile("rb")
        self.unread, self.out = 0, []

    def put(self, *words):
        """Sends a command whose answer does not matter."""
        words = [word if isinstance(word, bytes) else str(word).encode() for word in words]
        self.out.append(b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words))
        self.unread += 1
        if len(self.out) >= 200:
            self.flush()

    def flush(self):
        self.socket.sendall(b"".join(self.out))
        self.out = []
        while self.unread:
            self.read()
            self.unread -= 1

    def ask(self, *words):
        self.flush()
        self.put(*words)
        self.unread = 0
        self.socket.sendall(b"".join(self.out))
        self.out = []
        return self.read()

    def read(self):
        line = self.replies.readline()[:-2]
        kind, rest = line[:1], line[1:]
        if kind == b"*":
            return [self.read() for _ in range(int(rest))]
        if kind == b"$":
            return None if rest == b"-1" else self.replies.read(int(rest) + 2)[:-2]
        if kind == b"-":
            raise RuntimeError(rest.decode())
        return int(rest) if kind == b":" else rest

    def cpu_ms(self):
        told = dict(line.split(b":") for line in self.ask("INFO", "cpu").split(b"\r\n") if b":" in line)
        return 1000 * sum(float(told[b"used_cpu_" + part + b"_main_thread"]) for part in (b"user", b"sys"))

    def stop(self):
        self.process.terminate()
        self.process.wait()


def state(number, when, error=b""):
    holder = b"web-1:1"
    return (struct.pack("<BBIIIIdddddH", number, 8, 7, 1, 0, 0, when, when, when, 0, 1e15, len(holder)) + holder +
            struct.pack("<I", len(error)) + error)


def payload(number):
    return b'{"order":{"id":%d,"note":"' % number + b"x" * 160 + b'"}}'


def count(server, queue, many, counts):
    words = [word for number, of in counts.items() for word in (f"n{number}", of)]
    server.put("HSET", f"tf:{{{queue}}}:c", "seq", many, *words)
    server.flush()


def store_together(server, queue, many, time_of):
    """Segments of 80, of which the older half has succeeded, but one task in twelve of them has failed."""
    prefix, counts = f"tf:{{{queue}}}:", {WAITING: 0, SUCCEEDED: 0, FAILED: 0}
    for first in range(1, many + 1, 80):
        of = min(80, many - first + 1)
        own = [payload(first + at) for at in range(of)]
        ends = [sum(map(len, own[:at + 1])) for at in range(of)]
        body = (struct.pack("<Q", time_of(first))[:6] + bytes([1, 0, 100]) + struct.pack("<HIB", of, 0, len(NAME)) + NAME +
                struct.pack(f"<{of}I", *ends) + b"".join(own))
        codes = bytearray([252 if first < many // 2 else 0] * of)
        if first < many // 2 and first // 80 % 12 == 0:
            codes[5] = 254
            server.put("HSET", prefix + "s", first + 5, state(FAILED, time_of(first), FAILURE))
            counts[FAILED] += 1
        counts[SUCCEEDED] += codes.count(252)
        counts[WAITING] += codes.count(0)
        status = struct.pack("<Bd", 0, 7 * DAY) + struct.pack(f"<{of}I", *[7] * of) + bytes(codes)
        results = struct.pack("<dB", time_of(first), of) + b"".join(struct.pack("<BBI", at, 1, 2) + b"42" for at in range(of))
        if first < many // 2:
            status += struct.pack("<dB", time_of(first), 7) + b"web-1:1"
            server.put("HSET", prefix + "b", f"{first}o", results)
        server.put("HSET", prefix + "b", first, body, f"{first}t", status)
        server.put("ZADD", prefix + "B", first, f"{first}:{of}")
    count(server, queue, many, counts)


def store_keyed(server, queue, many, time_of):
    """Tasks of 10,000 keys, of which the older half has ended."""
    prefix, counts = f"tf:{{{queue}}}:", {WAITING: 0, SUCCEEDED: 0, FAILED: 0}
    for number in range(1, many + 1):
        key = b"customer%d" % (number % 10000)
        record = (struct.pack("<Q", time_of(number))[:6] + bytes([2, 32, 100]) + struct.pack("<IB", 7, len(NAME)) + NAME +
                  struct.pack("<H", len(key)) + key + payload(number))
        server.put("HSET", prefix + "r", number, record)
        how = WAITING if number > many // 2 else FAILED if number % 1000 == 0 else SUCCEEDED
        if how != WAITING:
            server.put("HSET", prefix + "s", number, state(how, time_of(number), FAILURE if how == FAILED else b""))
        counts[how] += 1
    count(server, queue, many, counts)


def main():
    many = int(sys.argv[1]) if len(sys.argv) > 1 else 3_000_000
    scripts = Scripts(Tree(ROOT))
    letters, text = scripts.parts("search")[0], scripts.text("search")
    server = Server()
    try:
        now = int(time.time() * 1000)
        for queue, store in (("together", store_together), ("keyed", store_keyed)):
            store(server, queue, many, lambda number: now - DAY + DAY * number // many)
        sha = server.ask("SCRIPT", "LOAD", text)
        wanted = [("the newest 50", {}), ("state:failed", {"states": "g"}), ("task:other", {"name": "other"}),
                  ("node:web-2", {"node": "web-2"}), ("key:customer42", {"key": "customer42"}), ("key:other", {"key": "other"}),
                  ("error:timeout", {"has_error": "1"}),
                  ("task:other since:-12h until:-11h", {"name": "other", "since": now - DAY // 2, "until": now - DAY // 2 + DAY // 24}),
                  ("with records, 1000", {"limit": 1000})]
        print(f"{many} tasks; a step, on average of {STEPS}: ms of the server's CPU, numbers, tasks found")
        for queue in ("together", "keyed"):
            for title, of in wanted:
                at, numbers, found, begun = 0, 0, 0, server.cpu_ms()
                for _ in range(STEPS):
                    got = server.ask("EVALSHA", sha, len(letters), *[f"tf:{{{queue}}}:{letter}" for letter in letters], "1", at,
                                     of.get("limit", 50), of.get("states", ""), of.get("name", ""), of.get("key", ""),
                                     of.get("node", ""), of.get("since", 0), of.get("until", 10**15), "", of.get("has_error", ""))
                    at, numbers, found = got[1], numbers + got[3], found + len(got) - 5
                took = (server.cpu_ms() - begun) / STEPS
                print(f"{queue:9} {title:34} {took:6.2f} ms {numbers / STEPS:10.0f} {found / STEPS:6.1f}")
    finally:
        server.stop()


if __name__ == "__main__":
    main()
