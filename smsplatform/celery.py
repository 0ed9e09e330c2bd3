"""The Celery application. Queues: default, bulk (imports, snapshots), urgent, senders (engine slots)."""

import os

from celery import Celery

from .watchdog import WorkerWatch

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "smsplatform.settings")

app = Celery("peyk")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.steps["worker"].add("messaging.dispatch.worker:SenderStep")
app.steps["worker"].add(WorkerWatch)
