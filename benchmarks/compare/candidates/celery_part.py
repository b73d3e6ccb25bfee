"""Celery with its Redis broker and result backend. The solo pool, as it is faster than the prefork pool for tasks
that do nothing; as many tasks fetched ahead as there are. What a worker needs to start is not counted: it begins
with its first task."""
import sys

import celery
from celery import signals

import part

port = int(sys.argv[2]) if len(sys.argv) > 2 else 6379
url = f"redis://127.0.0.1:{port}/0"
app = celery.Celery("celery_part", broker=url, backend=url)
app.conf.update(worker_prefetch_multiplier=1000, task_acks_late=False, worker_redirect_stdouts=False,
                worker_send_task_events=False, broker_connection_retry_on_startup=True)


@app.task(name="judge")
def handle(reading):
    return {"at": part.now(), "is_normal": reading["value"] < 90}


def work(tasks):
    seen = {"begin": 0, "count": 0}

    @signals.task_prerun.connect(weak=False)
    def begun(**_):
        seen["begin"] = seen["begin"] or part.now()

    @signals.task_success.connect(weak=False)
    def ended(**_):
        seen["count"] += 1
        if seen["count"] == tasks:
            part.done(seen["begin"], part.now())

    part.ready()
    app.worker_main(["worker", "--pool=solo", "--without-gossip", "--without-mingle", "--without-heartbeat",
                     "--loglevel=ERROR"])


def enqueue(tasks):
    part.enqueue(tasks, 500, lambda payloads: celery.group(handle.s(one) for one in payloads).apply_async())


def latency(tasks):
    part.latency(tasks, lambda payload: handle.delay(payload).get(timeout=10))


if __name__ == "__main__":
    verb, _, tasks = part.arguments()
    globals()[verb](tasks)
