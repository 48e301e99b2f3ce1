"""RQ: hands task ids to portal.core.tasks.run and runs the clock's schedule. The only module that knows rq.

A job carries a batch of task ids and nothing else. Losing it is harmless: the sweep finds what is still waiting. Each
lane of tasks (core/lanes.py) has a queue and a worker process serves them side by side, so what somebody waits for does
not wait behind letters that a mail server is slow to take.
"""

from __future__ import annotations

import os
import secrets
import signal
import threading
import time
from collections.abc import Callable
from functools import cache
from typing import Any
from uuid import UUID

import redis
from flask import Flask
from redis.client import Pipeline
from rq import Queue, SimpleWorker, get_current_job, worker_registration
from rq.job import Job
from rq.timeouts import TimerDeathPenalty
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from portal.core import clock, db, faults, live, log, tasks
from portal.core.lanes import INSIDE, OUTSIDE, PROMPT

QUEUE = "portal"
AT_ONCE = {INSIDE: 1, OUTSIDE: 2, PROMPT: 1}  # threads of a worker process; calls to other machines wait, not compute
PER_JOB = {INSIDE: 50, OUTSIDE: 5, PROMPT: 5}
JOB_LASTS = 600  # seconds; more than PER_JOB calls that hang
LAST_CALL = 60  # seconds: what is being called when the process is stopped may end
SWEEP_EVERY = 1.0
MOST_CONNECTIONS = 8
ALIVE_FOR = 20  # seconds; a worker says that it is alive every 5 s at least, and is forgotten 80 s after it last did
NICE = 5  # on a machine they share, whoever waits for a page goes before what can wait
_app: Flask | None = None
_stopping = threading.Event()
_busy: set[object] = set()  # runs that are going on in this process


def hand_over(redis_url: str) -> Callable[[list[UUID], str], None]:
    """A function that gives task ids to the workers from a background thread: it never raises and never waits."""
    queues = _queues(redis_url)

    def give(batch: list[tuple[str, list[UUID]]]) -> None:
        for lane, queue in queues.items():
            _enqueue(queue, lane, [one for where, ids in batch if where == lane for one in ids])

    background = live.InBackground(give, at_most=50)
    return lambda ids, lane: background.give((lane, ids))


def run_batch(ids: list[str]) -> None:
    """What a worker does with a job: one task after the other; told to stop, it leaves the rest to another worker."""
    if _app is None:
        raise RuntimeError("run_batch is called by `flask portal worker`")
    for done, task_id in enumerate(ids):
        if _stopping.is_set() and (job := get_current_job()):
            _put(Queue(job.origin, connection=job.connection), ids[done:])
            return
        run_one(_app, task_id)


def run_one(app: Flask, task_id: str | UUID) -> str:
    """One task in an application context of its own; when that fails as a whole, it is left to the sweep."""
    with app.app_context():
        _busy.add(me := object())
        try:
            return tasks.run(task_id)
        except SQLAlchemyError as error:
            log.warning("task left to the sweep", task_id=str(task_id), reason=faults.reason(error))
        except Exception as error:  # RQ would keep its words in Redis
            log.error("task left to the sweep", task_id=str(task_id), exc_info=error)
        finally:
            _busy.discard(me)
        return "skipped"


def drain(app: Flask, most: int = 10_000) -> int:
    """Do everything that is due here and now, without Redis; for the demo's seed and tests."""
    done = 0
    while done < most:
        with app.app_context(), db.transaction() as here:
            ids = list(
                here.scalars(
                    text("SELECT id FROM tasks WHERE state = 'waiting' AND due_at <= :now ORDER BY due_at LIMIT 500"),
                    {"now": clock.now()},
                )
            )
        if not ids:
            break
        for task_id in ids:
            run_one(app, task_id)
        done += len(ids)
    return done


class Worker(SimpleWorker):
    """Runs jobs in its own process (no fork for each) and says that it is alive."""

    death_penalty_class = TimerDeathPenalty

    def heartbeat(self, timeout: int | None = None, pipeline: Pipeline | None = None) -> None:
        """Say that this worker is alive, to a Redis that came back empty too: RQ lists a worker only when it starts."""
        super().heartbeat(timeout, pipeline)
        at = self.connection if pipeline is None else pipeline
        at.hset(self.key, mapping=self.serialize())
        worker_registration.register(self, pipeline)

    def handle_exception(self, job: Job, *exc_info: Any) -> None:
        """Log a job that failed as a whole; RQ would log the exception's own words."""
        log.error("job failed", job_id=job.id, exc_info=exc_info[1])

    def handle_job_failure(
        self, job: Job, queue: Queue, started_job_registry: Any = None, exc_string: str = ""
    ) -> None:
        """Keep that it failed; why stands in the log, and nothing of it in Redis."""
        super().handle_job_failure(job, queue, started_job_registry, exc_string="")


class Beside(Worker):
    """A worker in a thread beside the one that is told to stop by signals."""

    def _install_signal_handlers(self) -> None:
        """Signals come to the main thread only."""


def work(app: Flask, redis_url: str) -> None:
    """Work until told to stop; waits for Redis when it is away."""
    global _app
    _app = app
    _stopping.clear()
    os.nice(NICE)
    beside = [
        threading.Thread(target=_serve, args=(redis_url, lane, Beside), daemon=True, name=f"portal-{lane}")
        for lane, at_once in AT_ONCE.items()
        for _ in range(at_once)
        if lane != INSIDE
    ]
    for one in beside:
        one.start()
    _serve(redis_url, INSIDE, Worker)
    _stopping.set()
    until = time.monotonic() + LAST_CALL
    while _busy and time.monotonic() < until:
        time.sleep(0.05)


def _serve(redis_url: str, lane: str, kind: type[Worker]) -> None:
    """One worker of a lane until it is stopped, which only the one in the main thread is."""
    while not _stopping.is_set():
        try:
            queue = _queue(redis_url, lane)
            kind([queue], connection=queue.connection, name=_name(), worker_ttl=ALIVE_FOR).work(logging_level="WARNING")
            if lane == INSIDE:
                return
        except (redis.RedisError, OSError) as away:
            log.warning("redis is away, the worker waits", reason=faults.reason(away))
        time.sleep(1)


def _name() -> str:
    """One that was never used: in a container host name and process id are the same after each restart."""
    return f"worker-{os.uname().nodename}-{os.getpid()}-{secrets.token_hex(4)}"


def tick(app: Flask, redis_url: str) -> None:
    """The clock: every second hand over what is due, and ask for what the schedule says. Any number may run at once."""
    from portal.schedule import SCHEDULE

    stop = _until_stopped()
    queues = _queues(redis_url)
    while not stop.wait(SWEEP_EVERY):
        try:
            with app.app_context(), db.transaction():
                for every, function in SCHEDULE:
                    slot = int(time.time() // every.total_seconds())
                    _once_per_slot(function, slot)
            for lane, queue in queues.items():
                sweep(app, queue, lane)
        except (SQLAlchemyError, redis.RedisError, OSError) as away:
            log.warning("the clock could not do its round", reason=faults.reason(away))


def sweep(app: Flask, queue: Queue, lane: str = INSIDE) -> int:
    """Give the workers of a lane what is due and was not handed over, or was handed over and lost."""
    idle = queue.count == 0
    with app.app_context(), db.transaction():
        ids = tasks.due(idle=idle, lane=lane)
    _enqueue(queue, lane, ids)
    return len(ids)


def _enqueue(queue: Queue, lane: str, ids: list[UUID]) -> None:
    size = PER_JOB[lane]
    for start in range(0, len(ids), size):
        _put(queue, [str(one) for one in ids[start : start + size]])


def _put(queue: Queue, ids: list[str]) -> None:
    queue.enqueue(run_batch, ids, result_ttl=0, failure_ttl=3600, job_timeout=JOB_LASTS)


def workers_seen(redis_url: str) -> int:
    """How many workers have said they are alive lately; raises redis.RedisError when Redis is away."""
    return len(SimpleWorker.all(queue=_looked_at(redis_url)[INSIDE]))  # each process has one of these


def queued(redis_url: str) -> int:
    return sum(int(queue.count) for queue in _looked_at(redis_url).values())


_asked: dict[str, int] = {}


def _once_per_slot(function: Callable[..., Any], slot: int) -> None:
    name = tasks.name_of(function)
    if _asked.get(name) != slot:
        tasks.later(function, key=f"clock:{name}:{slot}")
        _asked[name] = slot


def _queue(redis_url: str, lane: str = INSIDE) -> Queue:
    """A lane's queue over a few connections of its own, whatever else this process asks of Redis."""
    return Queue(_named(lane), connection=live.few(redis_url, MOST_CONNECTIONS, "portal-queue"))


def _queues(redis_url: str) -> dict[str, Queue]:
    """The queues of all lanes over the same few connections; what somebody waits for first."""
    connection = live.few(redis_url, MOST_CONNECTIONS, "portal-queue")
    return {lane: Queue(_named(lane), connection=connection) for lane in (PROMPT, INSIDE, OUTSIDE)}


def _named(lane: str) -> str:
    return QUEUE if lane == INSIDE else f"{QUEUE}-{lane}"


_looked_at = cache(_queues)  # for figures: whoever reads them every few seconds opens nothing anew


def _until_stopped() -> threading.Event:
    """Set when the process is told to stop."""
    stop = threading.Event()
    if threading.current_thread() is threading.main_thread():
        for sign in (signal.SIGTERM, signal.SIGINT):
            signal.signal(sign, lambda *_: stop.set())
    return stop
