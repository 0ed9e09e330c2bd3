"""Ends a worker that consumes nothing, and a beat that publishes nothing: whoever started it starts it anew.

A worker can answer `inspect ping` and still take no task, after its broker was away for instance; Docker, for its part,
leaves a container alone that is merely unhealthy. So each process listens to itself (reliability.md, section 6).
"""

import logging
import os
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from celery import bootsteps, shared_task
from celery.exceptions import OperationalError
from celery.signals import beat_init, before_task_publish, task_received
from django.conf import settings

log = logging.getLogger(__name__)
GRACE_SECONDS = 30.0  # for an end in order: links closed, answers written down


class Watch:
    """Calls `end` once nothing was heard for `limit` seconds. Thread-safe.

    `ask` is called after a quarter of them: it makes something be heard if all is well, and raises OperationalError
    where that cannot be. While `is_excused`, silence means nothing.
    """

    def __init__(
        self,
        limit: float,
        end: Callable[[float], None],
        *,
        ask: Callable[[], object] = lambda: None,
        is_excused: Callable[[], bool] = lambda: False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limit, self._end, self._ask, self._is_excused, self._clock = limit, end, ask, is_excused, clock
        self._pause = limit / 12
        self._heard_at = self._looked_at = clock()
        self._is_over = threading.Event()

    def start(self) -> None:
        self.hear()
        threading.Thread(target=self._run, name="watchdog", daemon=True).start()

    def stop(self) -> None:
        self._is_over.set()

    def hear(self, **_: Any) -> None:
        self._heard_at = self._clock()

    def look(self) -> None:
        """One look; the thread makes one every twelfth of the limit."""
        now = self._clock()
        has_stood_still = now - self._looked_at > 3 * self._pause  # stopped, or the broker kept `ask` waiting
        self._looked_at = now
        if has_stood_still or self._is_excused():
            self.hear()
            return
        silence = now - self._heard_at
        if silence >= self._limit:
            self.stop()
            self._end(silence)
        elif silence >= self._limit / 4:
            try:
                self._ask()
            except (OperationalError, OSError):
                self.hear()

    def _run(self) -> None:
        self._looked_at = self._clock()
        while not self._is_over.wait(self._pause):
            self.look()


@shared_task(name="smsplatform.probe")
def answer_probe() -> None:
    """That it was consumed is all that matters."""


class WorkerWatch(bootsteps.StartStopStep):
    """A queue of the worker's own, to which it sends probes while nothing else comes."""

    requires = ("celery.worker.components:Pool",)

    def include_if(self, parent: Any) -> bool:
        return settings.WATCHDOG_SECONDS > 0

    def create(self, parent: Any) -> Watch:
        queue = f"probe.{parent.hostname}"
        parent.app.amqp.queues.select_add(queue)
        limit = settings.WATCHDOG_SECONDS
        ask = partial(parent.app.send_task, "smsplatform.probe", queue=queue, expires=limit, retry=False)
        watch = Watch(limit, _end_worker, ask=ask, is_excused=partial(_takes_no_more, parent))
        task_received.connect(watch.hear, weak=False)
        return watch


def _takes_no_more(worker: Any) -> bool:
    """Every slot of the pool works, however long that takes, or the worker is about to end."""
    from celery.worker import state

    is_ending = state.should_stop is not None or state.should_terminate is not None
    return is_ending or len(state.active_requests) >= worker.concurrency


def _end_worker(silence: float) -> None:
    from celery.worker import state

    log.critical("worker.consumes_nothing", extra={"seconds": round(silence)})
    state.should_stop = os.EX_SOFTWARE
    last_resort = threading.Timer(GRACE_SECONDS, os._exit, [os.EX_SOFTWARE])
    last_resort.daemon = True
    last_resort.start()


@beat_init.connect
def watch_beat(**_: Any) -> None:
    if settings.WATCHDOG_SECONDS > 0:
        watch = Watch(settings.WATCHDOG_SECONDS, _end_beat)
        before_task_publish.connect(watch.hear, weak=False)
        watch.start()


def _end_beat(silence: float) -> None:
    """What is due stands in rows, and the schedule's file only says when a tick was last rung: nothing is lost."""
    log.critical("beat.publishes_nothing", extra={"seconds": round(silence)})
    os._exit(os.EX_SOFTWARE)
