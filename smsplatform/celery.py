"""The Celery application. Queues: default, bulk (imports, snapshots, exports), urgent, senders (engine slots)."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "smsplatform.settings")

app = Celery("peyk")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.steps["worker"].add("messaging.dispatch.worker:SenderStep")
