"""The sender runtime inside a Celery worker: started with a worker that consumes `senders`, stopped with it."""

import sys
from functools import partial
from typing import Any

from celery import bootsteps
from celery.signals import celeryd_after_setup
from django.core.exceptions import ImproperlyConfigured

from common.collector import calm_collector
from messaging.checks import refuse_unsafe_database

from .runtime import SenderRuntime

_runtime: SenderRuntime | None = None


def find_runtime() -> SenderRuntime | None:
    """This process's runtime; None in processes that are no sender worker."""
    return _runtime


def install_runtime(runtime: SenderRuntime | None) -> None:
    global _runtime
    _runtime = runtime


@celeryd_after_setup.connect
def add_own_queue(sender: str, instance: Any, **_: Any) -> None:
    """A queue of this worker's own, so that a bell for a slot that it holds reaches it and nobody else."""
    queues = instance.app.amqp.queues
    if "senders" in queues.consume_from:
        runtime = SenderRuntime(ring=partial(_ring_slot, instance.app))
        install_runtime(runtime)
        queues.select_add(runtime.worker)


def _ring_slot(app: Any, gateway_account_id: int, slot: int, worker: str) -> None:
    """A task for a slot of this worker (`messaging.tasks.drain`, which imports this module)."""
    app.send_task("messaging.tasks.drain", (gateway_account_id, slot), queue=worker, expires=60)


def _share_interpreter() -> None:
    """An urgent message needs the interpreter a dozen times between its commit and the wire; each time it would wait
    5 ms for every thread that is busy with the bulk."""
    sys.setswitchinterval(0.0005)


class SenderStep(bootsteps.StartStopStep):
    """Links and leases live as long as the worker; they close before its pool does, so that tasks end in order."""

    requires = ("celery.worker.components:Pool",)

    def start(self, parent: Any) -> None:
        if _runtime is not None:
            if "thread" not in parent.pool_cls.__module__:
                raise ImproperlyConfigured("a sender worker needs -P threads: its slots share one process")
            refuse_unsafe_database()
            calm_collector()
            _share_interpreter()
            _runtime.start()

    def stop(self, parent: Any) -> None:
        if _runtime is not None:
            _runtime.stop()

    def terminate(self, parent: Any) -> None:
        self.stop(parent)
