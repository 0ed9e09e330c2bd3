"""The Celery application. Queues: default, bulk (imports, snapshots), urgent, senders (engine slots)."""

import os
from typing import Any

from celery import Celery
from celery.signals import worker_process_init

from common.collector import calm_collector

from .watchdog import WorkerWatch

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "smsplatform.settings")

app = Celery("peyk")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.steps["worker"].add("messaging.dispatch.worker:SenderStep")
app.steps["worker"].add(WorkerWatch)


@worker_process_init.connect
def prepare_process(**_: Any) -> None:
    """In every process of a pool that forks: there imports and snapshots run."""
    calm_collector()
