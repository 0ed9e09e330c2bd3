"""The fixed ticks. What is due is read from rows; a tick only makes somebody look."""

import os
from typing import Any

# Tests look more often than every five seconds.
SOON = float(os.environ.get("TICK_SECONDS", "5"))

# task: seconds. A tick that finds no worker within three of its periods is as good as a later one.
TICKS = {
    "messaging.tasks.ring_all_senders": SOON,
    "messaging.tasks.sweep_sessions": SOON,
    "messaging.tasks.sweep_runs": SOON,
    "messaging.tasks.sweep_timers": 12 * SOON,
    "messaging.tasks.sweep_routes": 2.0,
    "messaging.tasks.compare_charges": 60.0,
    "messaging.tasks.match_receipts": SOON,
    "messaging.tasks.sweep_health": 30.0,
    "messaging.tasks.turn_months": 3600.0,
    "accounts.tasks.clear_sessions": 3600.0,
    "campaigns.tasks.start_due_campaigns": SOON,
    "campaigns.tasks.resume_stalled_audiences": 10.0,
    "campaigns.tasks.discard_stale_audiences": 60.0,
    "contacts.tasks.sweep_imports": 30.0,
}

SCHEDULE: dict[str, dict[str, Any]] = {
    task: {"task": task, "schedule": seconds, "options": {"expires": max(15.0, 3 * seconds)}}
    for task, seconds in TICKS.items()
}
