"""The one Redis server that all candidates share."""
import os
import random
import shutil
import socket
import subprocess
import tempfile
import time


class Server:
    """On a free port of the loopback interface, in a temporary directory; saves nothing."""

    def __enter__(self):
        self.directory = tempfile.mkdtemp(prefix="taskflux-compare-")
        self.port = free_port()
        self.process = subprocess.Popen(
            ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no",
             "--dir", self.directory, "--logfile", os.path.join(self.directory, "log")])
        for _ in range(500):
            try:
                self.socket = socket.create_connection(("127.0.0.1", self.port))
                self.stream = self.socket.makefile("rb")
                return self
            except OSError:
                time.sleep(0.01)
        raise RuntimeError("redis-server does not start")

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.directory, ignore_errors=True)

    def command(self, *words):
        self.socket.sendall(b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w.encode()) for w in words))
        head = self.stream.readline().decode().strip()
        if head[0] == "-":
            raise RuntimeError(f"Redis: {head[1:]}")
        return self.stream.read(int(head[1:]) + 2)[:-2].decode() if head[0] == "$" else head[1:]

    def info(self, section):
        lines = self.command("INFO", section).splitlines()
        return dict(line.split(":", 1) for line in lines if ":" in line)

    def cpu_us(self):
        info = self.info("cpu")
        return 1e6 * (float(info["used_cpu_user_main_thread"]) + float(info["used_cpu_sys_main_thread"]))

    def used_memory(self):
        return int(self.info("memory")["used_memory"])


def free_port():
    while True:
        port = random.randrange(12000, 32000)  # Linux gives ports from 32,768 on to outgoing connections
        with socket.socket() as tried:
            try:
                tried.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
