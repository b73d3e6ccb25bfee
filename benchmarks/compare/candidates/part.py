"""What the candidates in Python share: how they talk with the runner (see ../run), and the payload."""
import json
import sys
import time

now = time.monotonic_ns


def payload(number):
    return {"sensor": "boiler-007-outlet-a", "at": 1700000000000 + number, "value": 21.5}


assert len(json.dumps(payload(0), separators=(",", ":"))) == 64


def ready():
    """Says that this part is set up, and returns when it shall begin."""
    print("ready", flush=True)
    if sys.stdin.readline() != "go\n":
        sys.exit()


def done(begin, end):
    print("done", begin, end, flush=True)


def enqueue(tasks, batch, add):
    ready()
    begin = now()
    for first in range(0, tasks, batch):
        add([payload(i) for i in range(first, min(first + batch, tasks))])
    done(begin, now())


def latency(tasks, submit):
    """`submit` gives the task's result, which is when its handler began."""
    ready()
    for i in range(tasks):
        time.sleep(0.004)
        begin = now()
        result = submit(payload(i))
        print("sample", result["at"] - begin, now() - begin, flush=True)
    done(0, 0)


def arguments():
    return sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
