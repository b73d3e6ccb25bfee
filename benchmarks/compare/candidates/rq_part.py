"""RQ with its SimpleWorker, which runs jobs in its own process: several times as fast as the default one, which
forks for each. There is nothing in RQ that wakes who waits for a result: it is asked for every millisecond."""
import logging
import time

import redis
import rq

import part


def handle(reading):
    return {"at": part.now(), "is_normal": reading["value"] < 90}


def work(server, tasks):
    logging.getLogger("rq.worker").setLevel(logging.WARNING)
    worker = rq.SimpleWorker(["bench"], connection=server)
    part.ready()
    begin = part.now()
    worker.work(max_jobs=tasks or None, logging_level="WARNING")
    part.done(begin, part.now())


def enqueue(server, tasks):
    queue = rq.Queue("bench", connection=server)

    def add(payloads):
        queue.enqueue_many([rq.Queue.prepare_data("rq_part.handle", (one,)) for one in payloads])

    part.enqueue(tasks, 500, add)


def latency(server, tasks):
    queue = rq.Queue("bench", connection=server)

    def submit(payload):
        job = queue.enqueue("rq_part.handle", payload)
        while not job.is_finished:
            time.sleep(0.001)
        return job.result

    part.latency(tasks, submit)


if __name__ == "__main__":
    verb, port, tasks = part.arguments()
    globals()[verb](redis.Redis(port=port), tasks)
