"""A task that takes long, for workers of tests (`-I tests.faults.long_task`)."""

import time

from celery import shared_task


@shared_task(name="tests.sleep")
def sleep(seconds: float) -> None:
    time.sleep(seconds)
