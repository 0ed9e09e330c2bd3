"""The fixed ticks. What is due is read from rows; a tick only makes somebody look."""

from typing import Any

# task: seconds. A tick that finds no worker within three of its periods is as good as a later one.
TICKS = {
    "messaging.tasks.ring_all_senders": 5.0,
    "messaging.tasks.sweep_sessions": 5.0,
    "messaging.tasks.sweep_runs": 5.0,
    "messaging.tasks.match_receipts": 5.0,
    "messaging.tasks.turn_months": 3600.0,
    "campaigns.tasks.start_due_campaigns": 5.0,
    "campaigns.tasks.resume_stalled_audiences": 10.0,
    "campaigns.tasks.discard_stale_audiences": 60.0,
    "contacts.tasks.sweep_imports": 30.0,
}

SCHEDULE: dict[str, dict[str, Any]] = {
    task: {"task": task, "schedule": seconds, "options": {"expires": 3 * seconds}} for task, seconds in TICKS.items()
}
