"""Gets what is missing, from wherever this machine gets its packages."""
import os
import shutil
import subprocess
import sys

from . import candidates

DEBIAN = {"redis-server": ["redis-server"], "bee-queue": ["nodejs", "npm"], "bullmq": ["nodejs", "npm"],
          "sidekiq": ["ruby-sidekiq"], "celery": ["python3-celery", "python3-redis"], "rq": ["python3-rq"]}
PRESENT = {"redis-server": ["redis-server", "--version"], "bee-queue": ["npm", "--version"],
           "bullmq": ["npm", "--version"], "sidekiq": ["/usr/bin/ruby", "-e", "require 'sidekiq'"],
           "celery": ["/usr/bin/python3", "-c", "import celery, redis"], "rq": ["/usr/bin/python3", "-c", "import rq"]}


def quietly(*command, **options):
    ended = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)
    if ended.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} failed:\n{ended.stdout}")


def works(command):
    if shutil.which(command[0]) is None:
        return False
    return subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0


def debian(names):
    missing = [package for name in names if name in PRESENT and not works(PRESENT[name]) for package in DEBIAN[name]]
    if not missing:
        return
    print("installing", *missing, file=sys.stderr)
    root = [] if os.geteuid() == 0 else ["sudo"]
    quietly(*root, "apt-get", "update")
    quietly(*root, "apt-get", "install", "-y", "--no-install-recommends", *sorted(set(missing)))


def npm():
    wanted = os.path.join(candidates.HERE, "package.json")
    have = os.path.join(candidates.MODULES, "package.json")
    if os.path.exists(have) and open(have).read() == open(wanted).read() and os.path.isdir(
            os.path.join(candidates.MODULES, "node_modules", "bullmq")):
        return
    print("installing packages of npm", file=sys.stderr)
    shutil.copy(wanted, have)
    quietly("npm", "install", "--no-package-lock", "--no-audit", "--no-fund", cwd=candidates.MODULES)


def build(names):
    targets = ["bench_compare_" + name for name in names if name in ("taskflux", "floor")]
    if not targets:
        return
    print("building", *targets, file=sys.stderr)
    quietly("cmake", "--preset", "release", "-B", candidates.BUILD, "-DTASKFLUX_BUILD_TESTS=OFF",
            "-DTASKFLUX_BUILD_EXAMPLES=OFF", cwd=candidates.PROJECT)
    quietly("cmake", "--build", candidates.BUILD, "--target", *targets, cwd=candidates.PROJECT)


def all_of(names):
    os.makedirs(candidates.MODULES, exist_ok=True)
    debian(["redis-server", *names])
    if "bee-queue" in names or "bullmq" in names:
        npm()
    build(names)
