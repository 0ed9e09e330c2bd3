"""Writing side of campaigns: what other apps and commands call."""

from .audience import prepare_audience
from .control import cancel_campaign, pause_campaign, resume_campaign
from .drafts import DraftContent, create_campaign, delete_campaign, duplicate_campaign, save_draft
from .launch import launch_campaign, schedule_campaign, start_due_campaign, unschedule_campaign
from .snapshot import walk_audience
from .test_send import send_test

__all__ = [
    "DraftContent",
    "cancel_campaign",
    "create_campaign",
    "delete_campaign",
    "duplicate_campaign",
    "launch_campaign",
    "pause_campaign",
    "prepare_audience",
    "resume_campaign",
    "save_draft",
    "schedule_campaign",
    "send_test",
    "start_due_campaign",
    "unschedule_campaign",
    "walk_audience",
]
